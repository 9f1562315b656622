import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/support/any-character.js';
import { isPlainKey, GENESIS } from '../../kernel/index.js';
import type { DocumentsSnapshot } from './document-machine.js';
import type { CollectionDeclaration, DocumentId, Fields } from './document-op.js';
import { DocumentTable } from './document-table.js';
import { idKindOf } from './id-kind.js';
import { CapturedOperations, type RememberedOperation } from './operation-memory.js';
import { SnapshotCodec } from './snapshot-codec.js';

const COLLECTIONS = [
  { name: 'customers', counterField: 'orders_count' },
  { name: 'groups', counterField: 'moves' },
  { name: 'users', ids: 'text' },
] as const;
const CODEC = new SnapshotCodec(COLLECTIONS);

interface Plain {
  readonly documents: ReadonlyMap<DocumentId, { readonly fields: Fields; readonly counterBase: number }>;
  readonly counter: number;
}

const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'id', '0', ':', '{a:', ''),
  fc.string({ unit: anyCharacter, maxLength: 6 }).filter(isPlainKey),
);
const scalar = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.constantFrom('line one\nline two', '"quoted"', 'back\\slash', '},\n"2":{', '\u2028', '\ud800'),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const fields = fc
  .array(fc.tuple(key, scalar), { maxLength: 5 })
  .map((members) => Object.fromEntries(members.filter(([name]) => name !== 'orders_count' && name !== 'moves')));
const wholeNumber = fc.integer({ min: 1, max: 2 ** 53 - 1 });
const text = fc.oneof(
  // JSON.parse reorders members whose names look like numbers.
  fc.constantFrom('7', '07', '10', '0', '__proto__', 'constructor', '-', 'z'.repeat(64)),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
);

function plain(id: fc.Arbitrary<DocumentId>, counts: fc.Arbitrary<number>, counter = fc.nat()): fc.Arbitrary<Plain> {
  const documents = fc.array(fc.tuple(id, fc.record({ fields, counterBase: counts })), { maxLength: 8 });
  return fc.record({ documents: documents.map((entries) => new Map(entries)), counter });
}

const state = fc.tuple(
  plain(wholeNumber, fc.integer()),
  plain(wholeNumber, fc.integer()),
  plain(text, fc.constant(0), fc.constant(0)),
);

const OPERATIONS: readonly RememberedOperation[] = [1, 2, 3].map((n) => ({
  ...{ id: `id ${String(n)}`, scope: `scope ${String(n)}`, bodyHmac: 'h', owner: 'a', at: n, commit: '1.1' },
  outcome: { change: 'created', collection: 'customers', document: { id: n, name: 'a,\n"b', email: 'ü' } },
}));

function snapshotOf(collections: readonly Plain[]): DocumentsSnapshot {
  const named = collections.map((collection, index) => [COLLECTIONS[index]!, collection] as const);
  const tables = named.map(([declaration, { documents, counter }]) => {
    const table = new DocumentTable(declaration);
    documents.forEach((document, id) => {
      table.set(id, document);
    });
    return [declaration.name, table.capture(counter)] as const;
  });
  const counters = Object.fromEntries(named.map(([{ name }, { counter }]) => [name, counter]));
  return {
    collections: new Map(tables),
    operations: CapturedOperations.of(OPERATIONS),
    meta: { clusterId: 'c', ...GENESIS, counters, nextIds: {} },
  };
}

/** The text in the file, without the closing brace. */
function encoded(snapshot: DocumentsSnapshot): Buffer {
  return Buffer.concat([...CODEC.encode(snapshot)].map((piece) => Buffer.from(piece)));
}

function plainOf({ collections, meta }: DocumentsSnapshot): unknown {
  return [...collections].map(([name, snapshot], index) => {
    const declaration = COLLECTIONS[index]!;
    const table = new DocumentTable(declaration);
    table.restore(snapshot);
    const ids = table.page(idKindOf(declaration).lowest, Infinity);
    return [name, meta.counters[name], table.size, ids.map((id) => [id, JSON.stringify(table.get(id))])];
  });
}

function expected(collections: readonly Plain[]): unknown {
  return collections.map(({ documents, counter }, index) => {
    const sorted = [...documents].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return [
      COLLECTIONS[index]!.name,
      counter,
      documents.size,
      sorted.map(([id, document]) => [id, JSON.stringify(document)]),
    ];
  });
}

describe('SnapshotCodec', () => {
  it('given any documents, reads them back with their fields in order', () => {
    fc.assert(
      fc.property(state, (collections) => {
        const body = encoded(snapshotOf(collections));

        expect(plainOf(CODEC.decode(body, 'file'))).toEqual(expected(collections));
      }),
    );
  });

  it('given any documents, writes JSON with one line per document, including the counter', () => {
    fc.assert(
      fc.property(state, (collections) => {
        const body = encoded(snapshotOf(collections)).toString();

        const parsed = JSON.parse(`${body}}`) as Record<string, Record<string, Record<string, unknown>>>;
        for (const [index, { documents, counter }] of collections.entries()) {
          const { name, counterField }: CollectionDeclaration = COLLECTIONS[index]!;
          for (const [id, { counterBase, fields: own }] of documents) {
            const counted = counterField === undefined ? [] : [[counterField, counterBase + counter] as const];
            const shown = Object.fromEntries([...Object.entries(own), ...counted]);
            expect(Object.getOwnPropertyDescriptor(parsed[name], String(id))?.value).toEqual(shown);
          }
        }
        const lines = collections.reduce((sum, { documents }) => sum + documents.size, 0);
        expect(body.split('\n').length).toBe(lines + COLLECTIONS.length + 1 + OPERATIONS.length + 1);
      }),
    );
  });

  it('given operations, reads its own format and the format of an earlier version', () => {
    const none = [{ documents: new Map(), counter: 0 }];
    const earlier = {
      format: 1,
      ...GENESIS,
      clusterId: 'c',
      counters: {},
      nextIds: {},
      sizes: {},
      operations: OPERATIONS,
    };
    const bodies = [
      encoded(snapshotOf(none)),
      Buffer.from(`{"customers":{\n},"_meta":${JSON.stringify(earlier)}`),
      Buffer.from(`{"customers":{},"_meta":${JSON.stringify(earlier)}`),
    ];
    for (const body of bodies) expect([...CODEC.decode(body, 'file').operations]).toEqual(OPERATIONS);

    const without = encoded({ ...snapshotOf(none), operations: CapturedOperations.of([]) });
    expect([...CODEC.decode(without, 'file').operations]).toEqual([]);
  });

  it('given the earlier format on one line, reads the same content', () => {
    fc.assert(
      fc.property(state, (collections) => {
        const oneLine = JSON.stringify(JSON.parse(`${encoded(snapshotOf(collections)).toString()}}`)).slice(0, -1);

        const decoded = plainOf(CODEC.decode(Buffer.from(oneLine), 'file'));
        const ids = (collection: unknown): unknown => (collection as [unknown, unknown, number, unknown]).slice(0, 3);
        expect((decoded as unknown[]).map(ids)).toEqual((expected(collections) as unknown[]).map(ids));
        expect(encoded(CODEC.decode(Buffer.from(oneLine), 'file'))).toEqual(encoded(snapshotOf(collections)));
      }),
    );
  });

  it('given the file of a version without a collection, reads that collection as unused', () => {
    const older = new SnapshotCodec(COLLECTIONS.slice(0, 2));
    const one = { documents: new Map([[3, { fields: { name: 'Ada' }, counterBase: 0 }]]), counter: 2 };
    const pieces = [...older.encode(snapshotOf([one, one]))].map((piece) => Buffer.from(piece));

    expect(plainOf(CODEC.decode(Buffer.concat(pieces), 'file'))).toEqual([
      ...(expected([one, one]) as unknown[]),
      ['users', undefined, 0, []],
    ]);
  });

  it.each(['"a b"', '"a.b"', '""', `"${'x'.repeat(65)}"`, 'a'])(
    'given a line with the invalid text id %s, refuses and names the file',
    (id) => {
      const body = `{"users":{\n${id}:{"name":"Ada"}\n},"_meta":{"format":1,"counters":{},"sizes":{"users":1}}`;

      expect(() => CODEC.decode(Buffer.from(body), 'the file')).toThrow(/^the file: /);
    },
  );

  it('given text ids out of order, refuses and names the file', () => {
    const line = (id: string): string => `"${id}":{"name":"${'x'.repeat(300_000)}"}`;
    const body = `{"users":{\n${line('b')},\n${line('a')}\n},"_meta":{"format":1,"counters":{},"sizes":{"users":2}}`;

    expect(() => CODEC.decode(Buffer.from(body), 'the file')).toThrow(/^the file: /);
  });

  it('given a line that does not belong to a snapshot, refuses and names the file', () => {
    const body = encoded(snapshotOf([{ documents: new Map(), counter: 0 }])).toString();

    for (const bad of [body.replace('"customers"', 'customers'), body.replace('{\n', '{\n"x":{},\n"1":{}\n')]) {
      expect(() => CODEC.decode(Buffer.from(bad), 'the file')).toThrow(/^the file: /);
    }
  });
});
