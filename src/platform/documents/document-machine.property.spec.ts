import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GENESIS, type JournalRecord } from '../journal/index.js';
import { DocumentMachine, type DocumentsSnapshot } from './document-machine.js';
import type { DocumentOp } from './document-op.js';
import { SnapshotCodec } from './snapshot-codec.js';

const COLLECTIONS = [
  { name: 'customers', counterField: 'orders_count' },
  { name: 'groups', counterField: 'moves' },
];
const CODEC = new SnapshotCodec(COLLECTIONS);
const HOUR_MS = 3_600_000;

type Step = DocumentOp & { readonly afterMs: number };

const collection = fc.constantFrom('customers', 'groups');
const id = fc.integer({ min: 1, max: 12 });
const fields = fc.record({ name: fc.string({ unit: 'binary' }), isOld: fc.boolean(), note: fc.constant(null) });
const operation = fc.record(
  { id: fc.uuid(), scope: fc.constantFrom('a', 'b', 'c', 'd'), bodyHmac: fc.string() },
  { requiredKeys: ['id'] },
);
const afterMs = fc.oneof(fc.nat(1_000), fc.nat(30 * HOUR_MS));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('put' as const), collection, id, fields, operation, afterMs }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), collection, id, operation, afterMs }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('bump' as const), collection, afterMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('epoch-started' as const),
      clusterId: fc.constantFrom('one', 'two'),
      primaryId: fc.constant('p'),
      afterMs,
    }),
  },
);

function recordsOf(steps: readonly Step[]): JournalRecord<DocumentOp>[] {
  let at = 0;
  return steps.map(({ afterMs: passed, ...op }, index) => {
    at += passed;
    return { epoch: 1, seq: index + 1, hash: `hash ${String(index + 1)}`, at, op };
  });
}

/** Everything that can be told apart from outside: documents as shown, in order, and all that decides what comes next. */
function observed(machine: DocumentMachine): unknown {
  const { meta, collections } = machine.capture();
  const documents = [...collections.keys()].map((name) => {
    const table = machine.collection(name).documents;
    return [name, table.size, table.page(0, Infinity).map((found) => [found, table.get(found)])];
  });
  return JSON.parse(JSON.stringify({ meta, documents }));
}

function textOf(snapshot: DocumentsSnapshot): string {
  const pieces = [...CODEC.encode(snapshot)].map((piece) => Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

function restarted(machine: DocumentMachine): DocumentMachine {
  const next = new DocumentMachine(COLLECTIONS, GENESIS);
  next.restore(CODEC.decode(Buffer.from(textOf(machine.capture())), 'documents.json'));
  return next;
}

describe('DocumentMachine', () => {
  it('given any history and a snapshot at any point of it, is after the rest in the same state as without', () => {
    const history = fc.array(step, { maxLength: 60 });
    const property = fc.property(history, fc.nat(60), (steps, at) => {
      const records = recordsOf(steps);
      const straight = new DocumentMachine(COLLECTIONS, GENESIS);
      let restored = new DocumentMachine(COLLECTIONS, GENESIS);
      for (const [index, record] of records.entries()) {
        if (index === at) restored = restarted(restored);
        expect(restored.apply(record)).toEqual(straight.apply(record));
      }

      expect(observed(restarted(restored))).toEqual(observed(straight));
    });

    fc.assert(property, { numRuns: 400 });
  });

  it('given a snapshot that is taken, does not change it by later records', () => {
    const records = recordsOf([
      { type: 'put', collection: 'customers', id: 1, fields: { name: 'Ada' }, operation: { id: 'o1' }, afterMs: 0 },
      { type: 'put', collection: 'customers', id: 1, fields: { name: 'Eve' }, operation: { id: 'o2' }, afterMs: 0 },
      { type: 'bump', collection: 'customers', afterMs: 0 },
      { type: 'delete', collection: 'customers', id: 1, operation: { id: 'o3' }, afterMs: 0 },
    ]);
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    records.slice(0, 1).forEach((record) => machine.apply(record));
    const before = textOf(machine.capture());
    const captured = machine.capture();
    records.slice(1).forEach((record) => machine.apply(record));

    expect(textOf(captured)).toBe(before);
  });

  it('given bumps, counts for each document only those since its creation, also when it is replaced', () => {
    const put = (id: number): Step => ({
      type: 'put',
      collection: 'customers',
      id,
      fields: {},
      operation: { id: `o${String(id)}` },
      afterMs: 0,
    });
    const bump: Step = { type: 'bump', collection: 'customers', afterMs: 0 };
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    const outcomes = recordsOf([put(1), bump, put(2), bump, put(1), put(2), put(3)]).map((record) =>
      machine.apply(record),
    );

    expect(outcomes.slice(4).map((outcome) => outcome?.document?.['orders_count'])).toEqual([2, 1, 0]);
  });

  it('given a record out of order, refuses it', () => {
    const [, second] = recordsOf([
      { type: 'bump', collection: 'customers', afterMs: 0 },
      { type: 'bump', collection: 'customers', afterMs: 0 },
    ]);

    expect(() => new DocumentMachine(COLLECTIONS, GENESIS).apply(second!)).toThrow('record 2 applied after 0');
  });
});
