import { beforeEach, describe, expect, it } from '@jest/globals';
import type { InDoubt, TransactionView } from '../../protocols/two-phase-commit/index.js';
import { TransactionReads } from './transaction-reads.js';
import type { DecisionRows, TransactionViewRow } from './transaction-sources.js';
import type { TransactionViewState } from './transaction.schemas.js';

let rows: TransactionViewRow[];
let views: TransactionView[];
let promises: InDoubt[];
let reads: TransactionReads;

const COMPLETED = { completedAtMs: 5 };

function row(
  id: string,
  decision: 'committed' | 'aborted',
  more: Partial<TransactionViewRow> = {},
): TransactionViewRow {
  const times = { begunAtMs: 1, preparedAtMs: 2, decidedAtMs: 4 };
  return { id, kind: 'test', decision, by: 'coordinator', positions: { documents: '1.7' }, ...times, ...more };
}

function view(id: string, state: TransactionView['state']): TransactionView {
  const history = [{ phase: 'prepare' as const, atMs: 1, participant: 'documents' }];
  return { id, kind: 'test', state, participants: [{ name: 'documents', state: 'prepared' }], history };
}

function promise(id: string): InDoubt {
  return { id, kind: 'test', decidedBy: 'sql', incarnation: 1, preparedAtMs: 2, position: '1.7' };
}

beforeEach(() => {
  rows = [];
  views = [];
  promises = [];
  const table: DecisionRows = {
    find: (id) => rows.find((one) => one.id === id),
    decisionOf: (id) => rows.find((one) => one.id === id)?.decision,
    page: ({ after, limit, decision }) =>
      rows.filter((one) => one.id > after && (decision ?? one.decision) === one.decision).slice(0, limit),
    incomplete: () => rows.filter(({ completedAtMs }) => completedAtMs === undefined),
    count: (decision) => rows.filter((one) => (decision ?? one.decision) === one.decision).length,
  };
  reads = new TransactionReads(
    { live: () => views, find: (id) => views.find((one) => one.id === id) },
    [{ name: 'documents', inDoubt: () => Promise.resolve(promises) }],
    table,
  );
});

/** Page by page, as `id state`. */
async function listed(limit: number, state?: TransactionViewState): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after = ''; ;) {
    const { transactions, hasMore, total } = await reads.page({ limit, after, state });
    found.push(...transactions.map((one) => `${one.id} ${one.state}`));
    after = transactions.at(-1)?.id ?? '';
    if (hasMore) continue;
    expect(total).toBe(found.length);
    return found;
  }
}

describe('the list of transactions', () => {
  beforeEach(() => {
    rows = [
      row('a', 'committed', COMPLETED),
      row('c', 'committed'),
      row('d', 'aborted'),
      row('f', 'aborted', COMPLETED),
      row('h', 'committed', COMPLETED),
    ];
    views = [view('g', 'preparing'), view('h', 'committed'), view('b', 'aborted')];
    promises = [promise('c'), promise('e'), promise('g')];
  });

  it.each([1, 2, 3, 100])(
    'given pages of %i, contains what each of the three sources knows, once and in order',
    async (limit) => {
      expect(await listed(limit)).toEqual([
        'a committed',
        'b aborted',
        'c committing',
        'd aborting',
        'e in-doubt',
        'f aborted',
        'g preparing',
        'h committed',
      ]);
    },
  );

  it.each<[TransactionViewState, readonly string[]]>([
    ['committed', ['a', 'h']],
    ['committing', ['c']],
    ['aborted', ['b', 'f']],
    ['aborting', ['d']],
    ['in-doubt', ['e']],
    ['preparing', ['g']],
    ['unmatched', []],
  ])('given the state %s, contains only those and counts them', async (state, ids) => {
    for (const limit of [1, 100]) {
      expect(await listed(limit, state)).toEqual(ids.map((id) => `${id} ${state}`));
    }
  });

  it('given the state committed while many are not completed, leaves no page short', async () => {
    views = [];
    rows = Array.from({ length: 20 }, (_, n) => {
      return row(String(n).padStart(2, '0'), 'committed', n % 4 === 3 ? COMPLETED : {});
    });
    const page = await reads.page({ limit: 3, after: '', state: 'committed' });

    expect(page.transactions.map(({ id }) => id)).toEqual(['03', '07', '11']);
    expect([page.hasMore, page.total]).toEqual([true, 5]);
  });

  it('counts a prepared transaction as in doubt only when nothing is deciding it', async () => {
    expect(await reads.inDoubt()).toBe(1);
  });
});

describe('one transaction', () => {
  it('given an unknown id, is undefined', async () => {
    expect(await reads.find('x')).toBeUndefined();
  });

  it('given one of an earlier incarnation, is read from its row', async () => {
    rows = [row('a', 'aborted', { ...COMPLETED, by: 'operator', reason: 'it was Monday', operationId: 'op-1' })];

    expect(await reads.find('a')).toEqual({
      id: 'a',
      kind: 'test',
      state: 'aborted',
      participants: [{ name: 'documents', state: 'aborted' }],
      history: [
        { phase: 'prepare', at: '1970-01-01T00:00:00.001Z' },
        { phase: 'promised', at: '1970-01-01T00:00:00.002Z', participant: 'documents', detail: '1.7' },
        { phase: 'aborted', at: '1970-01-01T00:00:00.004Z', detail: 'by operator' },
        { phase: 'completed', at: '1970-01-01T00:00:00.005Z' },
      ],
      operationId: 'op-1',
      reason: 'it was Monday',
    });
  });

  it('given one of this incarnation, has the history that the coordinator saw and the state of its row', async () => {
    rows = [row('a', 'committed')];
    views = [view('a', 'in-doubt')];

    const found = await reads.find('a');

    expect(found?.state).toBe('committing');
    expect(found?.history).toEqual([{ phase: 'prepare', at: '1970-01-01T00:00:00.001Z', participant: 'documents' }]);
  });

  it('given one that is only prepared, is in doubt', async () => {
    promises = [promise('a')];

    expect(await reads.find('a')).toEqual({
      id: 'a',
      kind: 'test',
      state: 'in-doubt',
      participants: [{ name: 'documents', state: 'prepared' }],
      history: [{ phase: 'promised', at: '1970-01-01T00:00:00.002Z', participant: 'documents', detail: '1.7' }],
    });
  });
});
