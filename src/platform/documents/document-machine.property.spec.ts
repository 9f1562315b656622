import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GENESIS } from '../../kernel/index.js';
import {
  arbitraryHistory,
  bump,
  COLLECTIONS,
  recordsOf,
  restarted,
  type Step,
  textOf,
} from '../../../test/support/document-history.js';
import { DocumentMachine } from './document-machine.js';

/** All observable state: documents as shown, in order, and everything that later results depend on. */
function observed(machine: DocumentMachine): unknown {
  const { meta, collections } = machine.capture();
  const documents = [...collections.keys()].map((name) => {
    const { documents: table, ids } = machine.collection(name);
    return [name, table.size, table.page(ids.lowest, Infinity).map((found) => [found, table.get(found)])];
  });
  return JSON.parse(JSON.stringify({ meta, documents }));
}

describe('DocumentMachine', () => {
  it('given any history and a snapshot at any point, ends in the same state as without the snapshot', () => {
    const property = fc.property(arbitraryHistory, fc.nat(60), (steps, at) => {
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

  it('given a captured snapshot, does not change it by later records', () => {
    const records = recordsOf([
      { type: 'put', collection: 'customers', id: 1, fields: { name: 'Ada' }, operation: { id: 'o1' }, afterMs: 0 },
      { type: 'put', collection: 'customers', id: 1, fields: { name: 'Eve' }, operation: { id: 'o2' }, afterMs: 0 },
      ...bump('t1'),
      { type: 'delete', collection: 'customers', id: 1, operation: { id: 'o3' }, afterMs: 0 },
    ]);
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    records.slice(0, 1).forEach((record) => machine.apply(record));
    const before = textOf(machine.capture());
    const captured = machine.capture();
    records.slice(1).forEach((record) => machine.apply(record));

    expect(textOf(captured)).toBe(before);
  });

  it('given bumps, counts for each document those since its creation, even after it was replaced', () => {
    const put = (id: number): Step => ({
      type: 'put',
      collection: 'customers',
      id,
      fields: {},
      operation: { id: `o${String(id)}` },
      afterMs: 0,
    });
    const machine = new DocumentMachine(COLLECTIONS, GENESIS);
    const outcomes = recordsOf([put(1), ...bump('t1'), put(2), ...bump('t2'), put(1), put(2), put(3)]).map((record) =>
      machine.apply(record),
    );

    expect(outcomes.slice(6)).toMatchObject([2, 1, 0].map((count) => ({ document: { orders_count: count } })));
  });

  it('given text ids that look like numbers, allots the next id above them, even after they were deleted', () => {
    const put = (id: string): Step => ({
      ...{ type: 'put', collection: 'users', id, fields: {}, operation: { id: `put ${id}` }, afterMs: 0 },
    });
    const remove: Step = { type: 'delete', collection: 'users', id: '12', operation: { id: 'o' }, afterMs: 0 };
    let machine = new DocumentMachine(COLLECTIONS, GENESIS);
    const next: unknown[] = [];
    for (const record of recordsOf([
      ...[put('a'), put('7'), put('3'), put('08'), put('12'), remove, put('-99'), put('1e6'), put('0')],
      ...[put('1'.repeat(16)), put('9'.repeat(15))],
    ])) {
      machine.apply(record);
      machine = restarted(machine);
      next.push(machine.collection('users').nextId);
    }

    expect(next).toEqual([1, 8, 8, 8, 13, 13, 13, 13, 13, 13, 1e15]);
  });

  it('given a record out of order, refuses it', () => {
    const [, second] = recordsOf(bump('t1'));

    expect(() => new DocumentMachine(COLLECTIONS, GENESIS).apply(second!)).toThrow('record 2 cannot follow record 0');
  });
});
