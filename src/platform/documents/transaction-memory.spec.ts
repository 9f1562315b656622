import { describe, expect, it } from '@jest/globals';
import { GENESIS } from '../../kernel/index.js';
import { recordsOf, restarted, type Step } from '../../../test/support/document-history.js';
import { COLLECTIONS } from '../../../test/support/document-history.js';
import { type Applied, DocumentMachine } from './document-machine.js';
import type { PreparedChange } from './document-op.js';

const MINUTE_MS = 60_000;
const MAX_DECISIONS = 2_000;
const BUMP: PreparedChange = { type: 'bump', collection: 'customers' };

const prepare = (transaction: string, changes: readonly PreparedChange[] = [BUMP]): Step => ({
  ...{ type: 'prepare', transaction, kind: 'books-2pc', decidedBy: 'database', life: 1 },
  ...{ changes, afterMs: 0 },
});
const commit = (transaction: string, afterMs = 0): Step => ({ type: 'commit', transaction, afterMs });
const abort = (transaction: string): Step => ({ type: 'abort', transaction, afterMs: 0 });
const put = (id: number): Step => ({
  ...{ type: 'put', collection: 'customers', id, fields: { name: `customer ${String(id)}` } },
  ...{ operation: { id: `o${String(id)}` }, afterMs: 0 },
});

function machineAfter(steps: readonly Step[]): { readonly machine: DocumentMachine; readonly results: Applied[] } {
  const machine = new DocumentMachine(COLLECTIONS, GENESIS);
  return { machine, results: recordsOf(steps).map((record) => machine.apply(record)) };
}

describe('a transaction in the history of documents', () => {
  it('that is prepared changes nothing; its commit changes the state at the position of its own record', () => {
    const steps = [put(1), prepare('t'), put(2), commit('t'), put(3)];
    const before = machineAfter(steps.slice(0, 3));
    const { machine, results } = machineAfter(steps);

    expect(before.machine.collection('customers').counter).toBe(0);
    expect(results[3]).toMatchObject({ decision: 'committed', place: '1.4', outcome: { bumped: { customers: 2 } } });
    expect(machine.collection('customers').counter).toBe(1);
    const bases = [1, 2, 3].map((id) => machine.collection('customers').documents.get(id)?.counterBase);
    expect(bases).toEqual([0, 0, -1]);
  });

  it('that is committed creates the reserved document, with a counter from that position on', () => {
    const create: PreparedChange = { type: 'create', collection: 'customers', id: 5, fields: { name: 'Ada' } };
    const { machine } = machineAfter([prepare('t', [create]), prepare('other'), commit('other'), commit('t')]);

    expect(machine.collection('customers').documents.get(5)).toEqual({ fields: { name: 'Ada' }, counterBase: -1 });
  });

  it('that is aborted leaves only the used id, which is never allotted again', () => {
    const create: PreparedChange = { type: 'create', collection: 'customers', id: 5, fields: {} };
    const { machine, results } = machineAfter([prepare('t', [create, BUMP]), abort('t')]);

    expect(results[1]).toMatchObject({ decision: 'aborted', outcome: { bumped: {} } });
    const { documents, counter, nextId } = machine.collection('customers');
    expect([documents.size, counter, nextId]).toEqual([0, 0, 6]);
    expect(machine.transactions.holderOf('customers', 5)).toBeUndefined();
  });

  it.each([
    ['never prepared', [commit('t')]],
    ['committed before', [prepare('t'), commit('t'), commit('t')]],
    ['aborted before', [prepare('t'), abort('t'), commit('t')]],
    ['aborted before it was prepared again', [prepare('t'), abort('t'), prepare('t'), commit('t')]],
  ])('that was %s is not committed', (_, steps) => {
    const earlier = machineAfter(steps.slice(0, -1)).machine.collection('customers').counter;
    const { machine, results } = machineAfter(steps);

    expect([results.at(-1), machine.collection('customers').counter]).toEqual([undefined, earlier]);
  });

  it('that is prepared twice keeps the first promise', () => {
    const { machine } = machineAfter([prepare('t'), prepare('t', []), commit('t')]);

    expect(machine.collection('customers').counter).toBe(1);
  });

  it.each([
    [10 * MINUTE_MS - 1, true],
    [10 * MINUTE_MS, false],
  ])('whose decision is %i ms of records old is still known as decided: %s', (afterMs, isKnown) => {
    const { machine } = machineAfter([prepare('t'), commit('t'), prepare('later'), commit('later', afterMs)]);

    expect(machine.transactions.findDecided('t') !== undefined).toBe(isKnown);
  });

  it('after more decisions than the memory holds, leaves the newest known, also after a restart', () => {
    const ids = Array.from({ length: MAX_DECISIONS + 2 }, (_, index) => `t${String(index)}`);
    const { machine } = machineAfter(ids.flatMap((id) => [prepare(id), commit(id)]));

    const known = [machine, restarted(machine)].map(({ transactions }) =>
      transactions.allDecided().map(({ transaction }) => transaction),
    );
    expect(known).toEqual([ids.slice(2), ids.slice(2)]);
    expect([machine.transactions.findDecided('t1'), machine.transactions.findDecided('t2')]).toEqual([
      undefined,
      expect.objectContaining({ transaction: 't2' }),
    ]);
  });

  it('that is prepared is still prepared after a restart, oldest first, with its reservations and its changes', () => {
    const create: PreparedChange = { type: 'create', collection: 'customers', id: 5, fields: { name: 'Ada' } };
    const { machine } = machineAfter([prepare('z'), prepare('a', [create]), prepare('done'), commit('done')]);
    const next = restarted(machine);

    expect(next.transactions.allPrepared()).toEqual(machine.transactions.allPrepared());
    expect(next.transactions.allPrepared().map(({ transaction }) => transaction)).toEqual(['z', 'a']);
    expect(next.transactions.holderOf('customers', 5)).toBe('a');
  });
});
