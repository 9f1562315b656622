import fc from 'fast-check';
import { anyCharacter } from './any-character.js';
import { GENESIS } from '../../src/kernel/index.js';
import type { JournalRecord } from '../../src/platform/journal/index.js';
import {
  DocumentMachine,
  type DocumentOp,
  type DocumentsSnapshot,
  SnapshotCodec,
} from '../../src/platform/documents/index.js';

export const COLLECTIONS = [
  { name: 'customers', counterField: 'orders_count' },
  { name: 'groups', counterField: 'moves' },
  { name: 'users', ids: 'text' },
] as const;
const CODEC = new SnapshotCodec(COLLECTIONS);
const HOUR_MS = 3_600_000;

export type Step = DocumentOp & { readonly afterMs: number };

/** A transaction that counts one more for every document of the collection, from its promise to its commit. */
export function bump(transaction: string, collection = 'customers', afterMs = 0): readonly [Step, Step] {
  const changes = [{ type: 'bump', collection } as const];
  return [
    { type: 'prepare', transaction, kind: 'books-2pc', decidedBy: 'database', life: 1, changes, afterMs },
    { type: 'commit', transaction, afterMs: 0 },
  ];
}

const counted = fc.constantFrom('customers', 'groups');
/** The collection of a document, and an id of that collection's kind. */
const key = fc.oneof(
  fc.record({ collection: counted, id: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    collection: fc.constant('users'),
    id: fc.constantFrom('3', '07', '7', '12', '_', 'a', 'A', '__proto__'),
  }),
);
const fields = fc.record({ name: fc.string({ unit: anyCharacter }), isOld: fc.boolean(), note: fc.constant(null) });
const operation = fc.record(
  { id: fc.uuid(), scope: fc.constantFrom('a', 'b', 'c', 'd'), bodyHmac: fc.string() },
  { requiredKeys: ['id'] },
);
const afterMs = fc.oneof(fc.nat(1_000), fc.nat(30 * HOUR_MS));
const transaction = fc.constantFrom('t1', 't2', 't3');
const change = fc.oneof(
  fc.record({ type: fc.constant('bump' as const), collection: counted }),
  fc.record({ key, fields }).map(({ key: at, ...rest }) => ({ type: 'create' as const, ...at, ...rest })),
);
const prepare = fc.record({
  type: fc.constant('prepare' as const),
  transaction,
  kind: fc.constant('books-2pc'),
  decidedBy: fc.constant('database'),
  life: fc.nat(3),
  changes: fc.array(change, { maxLength: 3 }),
  afterMs,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ type: fc.constant('put' as const), key, fields, operation, afterMs })
      .map(({ key: at, ...rest }) => ({ ...rest, ...at })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ type: fc.constant('delete' as const), key, operation, afterMs })
      .map(({ key: at, ...rest }) => ({ ...rest, ...at })),
  },
  { weight: 3, arbitrary: prepare },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('commit' as const, 'abort' as const), transaction, afterMs }),
  },
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

export function recordsOf(steps: readonly Step[]): JournalRecord<DocumentOp>[] {
  let at = 0;
  return steps.map(({ afterMs: passed, ...op }, index) => {
    at += passed;
    return { epoch: 1, seq: index + 1, hash: `hash ${String(index + 1)}`, at, op };
  });
}

const bumped = fc.tuple(fc.uuid(), counted, afterMs).map((of) => bump(...of));
const steps = fc.oneof(
  { weight: 20, arbitrary: step.map((one): readonly Step[] => [one]) },
  { weight: 3, arbitrary: bumped },
);
export const arbitraryHistory = fc.array(steps, { maxLength: 60 }).map((all) => all.flat());

/** The text in the file, without the closing brace. */
export function textOf(snapshot: DocumentsSnapshot): string {
  const pieces = [...CODEC.encode(snapshot)].map((piece) => Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

/** Another machine that begins with a snapshot of `machine`. */
export function restarted(machine: DocumentMachine): DocumentMachine {
  const next = new DocumentMachine(COLLECTIONS, GENESIS);
  next.restore(CODEC.decode(Buffer.from(textOf(machine.capture())), 'documents.json'));
  return next;
}
