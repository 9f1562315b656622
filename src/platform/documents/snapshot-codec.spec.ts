import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GENESIS } from '../journal/index.js';
import type { DocumentsSnapshot } from './document-machine.js';
import type { Fields } from './document-op.js';
import { DocumentTable } from './document-table.js';
import { SnapshotCodec } from './snapshot-codec.js';

const COLLECTIONS = [
  { name: 'customers', counterField: 'orders_count' },
  { name: 'gr"oups', counterField: 'mo"ves' },
];
const CODEC = new SnapshotCodec(COLLECTIONS);

interface Plain {
  readonly documents: ReadonlyMap<number, { readonly fields: Fields; readonly counterBase: number }>;
  readonly counter: number;
}

const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'id', '0', '"', '\\', ':', '{"a":', ''),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('line one\nline two', '"quoted"', 'back\\slash', '},\n"2":{', '\u2028', '\ud800'),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const fields = fc
  .array(fc.tuple(key, scalar), { maxLength: 5 })
  .map((members) => Object.fromEntries(members.filter(([name]) => name !== 'orders_count' && name !== 'mo"ves')));
const plain: fc.Arbitrary<Plain> = fc.record({
  documents: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 2 ** 53 - 1 }), fc.record({ fields, counterBase: fc.integer() })), {
      maxLength: 8,
    })
    .map((entries) => new Map(entries)),
  counter: fc.nat(),
});

function snapshotOf(collections: readonly Plain[]): DocumentsSnapshot {
  const named = collections.map((collection, place) => [COLLECTIONS[place]!, collection] as const);
  const tables = named.map(([{ name, counterField }, { documents, counter }]) => {
    const table = new DocumentTable(counterField);
    documents.forEach((document, id) => {
      table.set(id, document);
    });
    return [name, table.capture(counter)] as const;
  });
  const counters = Object.fromEntries(named.map(([{ name }, { counter }]) => [name, counter]));
  return {
    collections: new Map(tables),
    meta: { clusterId: 'c', ...GENESIS, counters, nextIds: {}, operations: [] },
  };
}

/** As it stands in a file, but for the closing brace. */
function encoded(snapshot: DocumentsSnapshot): Buffer {
  return Buffer.concat([...CODEC.encode(snapshot)].map((piece) => Buffer.from(piece)));
}

function plainOf({ collections, meta }: DocumentsSnapshot): unknown {
  return [...collections].map(([name, snapshot], place) => {
    const table = new DocumentTable(COLLECTIONS[place]!.counterField);
    table.restore(snapshot);
    const ids = table.page(-Infinity, Infinity);
    return [name, meta.counters[name], table.size, ids.map((id) => [id, JSON.stringify(table.get(id))])];
  });
}

function expected(collections: readonly Plain[]): unknown {
  return collections.map(({ documents, counter }, place) => {
    const sorted = [...documents].toSorted(([a], [b]) => a - b);
    return [
      COLLECTIONS[place]!.name,
      counter,
      documents.size,
      sorted.map(([id, document]) => [id, JSON.stringify(document)]),
    ];
  });
}

describe('SnapshotCodec', () => {
  const both = fc.tuple(plain, plain);

  it('given any documents, reads back what it has written, with fields in their order', () => {
    fc.assert(
      fc.property(both, (collections) => {
        const body = encoded(snapshotOf(collections));

        expect(plainOf(CODEC.decode(body, 'file'))).toEqual(expected(collections));
      }),
    );
  });

  it('given any documents, writes JSON with each document on a line of its own, and shows the counter', () => {
    fc.assert(
      fc.property(both, (collections) => {
        const body = encoded(snapshotOf(collections)).toString();

        const parsed = JSON.parse(`${body}}`) as Record<string, Record<string, Record<string, unknown>>>;
        for (const [place, { documents, counter }] of collections.entries()) {
          const { name, counterField } = COLLECTIONS[place]!;
          for (const [id, { counterBase, fields: own }] of documents) {
            const shown = Object.fromEntries([...Object.entries(own), [counterField, counterBase + counter]]);
            expect(parsed[name]?.[String(id)]).toEqual(shown);
          }
        }
        const lines = collections.reduce((sum, { documents }) => sum + documents.size, 0);
        expect(body.split('\n').length).toBe(lines + COLLECTIONS.length + 1);
      }),
    );
  });

  it('given the same on one line, as it was written before, reads the same', () => {
    fc.assert(
      fc.property(both, (collections) => {
        const oneLine = JSON.stringify(JSON.parse(`${encoded(snapshotOf(collections)).toString()}}`)).slice(0, -1);

        const decoded = plainOf(CODEC.decode(Buffer.from(oneLine), 'file'));
        const ids = (collection: unknown): unknown => (collection as [unknown, unknown, number, unknown]).slice(0, 3);
        expect((decoded as unknown[]).map(ids)).toEqual((expected(collections) as unknown[]).map(ids));
        expect(encoded(CODEC.decode(Buffer.from(oneLine), 'file'))).toEqual(encoded(snapshotOf(collections)));
      }),
    );
  });

  it('given a line that is none of a snapshot, refuses and names the file', () => {
    const body = encoded(snapshotOf([{ documents: new Map(), counter: 0 }])).toString();

    for (const bad of [body.replace('"customers"', 'customers'), body.replace('{\n', '{\n"x":{},\n"1":{}\n')]) {
      expect(() => CODEC.decode(Buffer.from(bad), 'the file')).toThrow(/^the file: /);
    }
  });
});
