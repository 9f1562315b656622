import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rounds } from '../../../test/support/long-form.js';
import { GENESIS } from '../../kernel/index.js';
import {
  arbitraryHistory,
  bump,
  COLLECTIONS,
  recordsOf,
  restarted,
  textOf,
} from '../../../test/support/document-history.js';
import { DocumentMachine } from './document-machine.js';
import { SnapshotCodec } from './snapshot-codec.js';
import { stateHash } from './state-hash.js';

const CODEC = new SnapshotCodec(COLLECTIONS);
const hashOf = (machine: DocumentMachine): Promise<string> => stateHash(machine.capture(), setImmediate);

describe('stateHash', () => {
  it('given any history, is the same with and without restarts from snapshots and rebases', async () => {
    const property = fc.asyncProperty(arbitraryHistory, fc.nat(60), fc.nat(60), async (steps, restartAt, rebaseAt) => {
      const straight = new DocumentMachine(COLLECTIONS, GENESIS);
      let other = new DocumentMachine(COLLECTIONS, GENESIS);
      for (const [index, record] of recordsOf(steps).entries()) {
        if (index === restartAt) other = restarted(other);
        if (index === rebaseAt) other.rebase(other.capture());
        straight.apply(record);
        other.apply(record);
      }

      expect(await hashOf(other)).toBe(await hashOf(straight));
      expect(await hashOf(restarted(other))).toBe(await hashOf(straight));
    });

    await fc.assert(property, { numRuns: rounds(50, 200) });
  });

  it('given a snapshot of a version without transactions, equals the hash of a snapshot with none', async () => {
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    machine.apply(
      recordsOf([{ type: 'put', collection: 'customers', id: 1, fields: {}, operation: { id: 'o' }, afterMs: 0 }])[0]!,
    );
    const text = textOf(machine.capture());
    const older = text.replace(',"prepared":[],"decisions":[]', '');

    expect(older).not.toBe(text);
    expect(await stateHash(CODEC.decode(Buffer.from(older), 'file'), setImmediate)).toBe(await hashOf(machine));
  });

  it('given any further write, bump, transaction step or epoch of another cluster, differs', async () => {
    const operation = { id: 'operation' };
    const put = {
      type: 'put',
      collection: 'customers',
      id: 1,
      fields: { name: 'Ada' },
      operation,
      afterMs: 0,
    } as const;
    const prepare = {
      ...({ type: 'prepare', kind: 'books-2pc', decidedBy: 'database', life: 1, afterMs: 0 } as const),
      changes: [{ type: 'create', collection: 'customers', id: 9, fields: {} } as const],
    };
    const steps = [
      put,
      put,
      { ...put, fields: { name: 'Eve' } },
      ...bump('of customers'),
      ...bump('of groups', 'groups'),
      { type: 'delete', collection: 'customers', id: 1, operation, afterMs: 0 } as const,
      { ...prepare, transaction: 'one' },
      { ...prepare, transaction: 'two' },
      { type: 'commit', transaction: 'one', afterMs: 0 } as const,
      { type: 'abort', transaction: 'two', afterMs: 0 } as const,
      { type: 'epoch-started', clusterId: 'one', primaryId: 'p', afterMs: 0 } as const,
    ];
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    const hashes = [await hashOf(machine)];
    for (const record of recordsOf(steps)) {
      machine.apply(record);
      hashes.push(await hashOf(machine));
    }

    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('given an unused collection, equals the hash without that collection, and differs from its first document on', async () => {
    const [customers, groups] = COLLECTIONS;
    const both = new DocumentMachine(COLLECTIONS, GENESIS);
    const older = new DocumentMachine([customers, groups], GENESIS);
    const step = { type: 'put', fields: {}, operation: { id: 'o' }, afterMs: 0 } as const;
    const [first, second, third] = recordsOf([
      { ...step, collection: 'customers', id: 1 },
      { ...step, collection: 'users', id: 'ada' },
      { ...step, type: 'delete', collection: 'users', id: 'ada' },
    ]);
    for (const machine of [both, older]) machine.apply(first!);

    expect(await hashOf(both)).toBe(await hashOf(older));
    const before = await hashOf(both);
    both.apply(second!);
    const withAda = await hashOf(both);
    both.apply(third!);
    expect(new Set([before, withAda, await hashOf(both)]).size).toBe(3);
  });

  it('given many documents, yields to the event loop while it is computed', async () => {
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    const documents = machine.collection('customers').documents;
    for (let id = 1; id <= 20_000; id += 1)
      documents.set(id, { fields: { name: `customer ${String(id)}` }, counterBase: 0 });
    let turns = 0;

    await stateHash(machine.capture(), (task) => {
      turns += 1;
      setImmediate(task);
    });

    expect(turns).toBeGreaterThan(3);
  });
});
