import { describe, expect, it } from '@jest/globals';
import type { Decision, DecisionRow, InDoubt } from '../ports.js';
import {
  undecidedOf,
  isDue,
  type Judge,
  mismatches,
  missingPromises,
  planRecovery,
  type StartState,
  notificationsOf,
} from './recovery.js';

const HERE: Judge = { id: 'sql-1', lived: new Set([4, 5]), unmatched: new Set() };

function inDoubt(id: string, parts: Partial<InDoubt> = {}): InDoubt {
  return {
    id,
    kind: 'books-2pc',
    decidedBy: 'sql-1',
    incarnation: 4,
    preparedAtMs: 1_000,
    position: `4.${id}`,
    ...parts,
  };
}

function plan(judge: Judge, ...found: InDoubt[]): { offered: string[]; unmatched: string[] } {
  const { offered, unmatched } = planRecovery(undecidedOf({ documents: found }), judge);
  return { offered: offered.map(({ id }) => id), unmatched: unmatched.map(({ id }) => id) };
}

describe('a transaction that recovery takes over', () => {
  it('is listed once, however many participants are in doubt, with the log position of each promise', () => {
    const { position: _place, ...placeless } = inDoubt('t2');
    const transactions = undecidedOf({ a: [inDoubt('t1'), inDoubt('t2')], b: [placeless] });
    expect(transactions.map(({ id, positions }) => [id, positions])).toEqual([
      ['t1', { a: '4.t1' }],
      ['t2', { a: '4.t2', b: '' }],
    ]);
  });

  it('has no coordinator, or its coordinator has not decided it for too long', () => {
    expect([isDue(false, 0, 5_000), isDue(true, 4_999, 5_000), isDue(true, 5_000, 5_000)]).toEqual([true, false, true]);
  });

  it('is offered to the last resource as aborted, with the author and the reason', () => {
    const { offered } = planRecovery(undecidedOf({ documents: [inDoubt('t1')] }), HERE);
    expect(offered).toEqual([
      {
        id: 't1',
        kind: 'books-2pc',
        decidedBy: 'sql-1',
        incarnation: 4,
        by: 'recovery',
        begunAtMs: 1_000,
        preparedAtMs: 1_000,
        positions: { documents: '4.t1' },
        reason: 'the transaction was in doubt and no coordinator was deciding it',
      },
    ]);
  });
});

describe('a transaction that recovery leaves to an operator', () => {
  it('is decided by another database', () => {
    expect(plan(HERE, inDoubt('t1'), inDoubt('t2', { decidedBy: 'sql-2' }))).toEqual({
      offered: ['t1'],
      unmatched: ['t2'],
    });
  });

  it('began in an incarnation that this copy of the database never had, whatever its number', () => {
    const found = [
      inDoubt('t1', { incarnation: 4 }),
      inDoubt('t2', { incarnation: 3 }),
      inDoubt('t3', { incarnation: 6 }),
    ];
    expect(plan(HERE, ...found)).toEqual({ offered: ['t1'], unmatched: ['t2', 't3'] });
  });

  it('was named by a recovery from replicas', () => {
    const judge = { ...HERE, unmatched: new Set(['t1']) };
    expect(plan(judge, inDoubt('t1'), inDoubt('t2'))).toEqual({ offered: ['t2'], unmatched: ['t1'] });
  });
});

describe('the decisions of rows', () => {
  it('reach all participants that hold a promise; without a row no participant is notified', () => {
    const transactions = undecidedOf({ a: [inDoubt('t1'), inDoubt('t2'), inDoubt('t3')], b: [inDoubt('t2')] });
    const rows = new Map<string, Decision>([
      ['t1', 'aborted'],
      ['t2', 'committed'],
    ]);
    expect(notificationsOf(transactions, rows)).toEqual([
      { id: 't1', participant: 'a', decision: 'aborted' },
      { id: 't2', participant: 'a', decision: 'committed' },
      { id: 't2', participant: 'b', decision: 'committed' },
    ]);
  });
});

describe('participants and rows at the start', () => {
  const { position: _place, preparedAtMs: _at, ...head } = inDoubt('t1');
  const carriedOut = (decision: Decision): StartState['carriedOut'] => ({ a: [{ ...head, decision }] });
  const row = (decision: Decision, positions: Record<string, string>): DecisionRow => {
    return { ...head, decision, positions, by: 'coordinator', begunAtMs: 1, preparedAtMs: 2, decidedAtMs: 3 };
  };
  const NOTHING: StartState = {
    participants: ['a'],
    inDoubt: {},
    carriedOut: {},
    rows: new Map(),
    toBeFound: [],
    unmatched: new Set(),
  };
  const problems = (state: Partial<StartState>): string[] =>
    mismatches({ ...NOTHING, ...state }, missingPromises({ ...NOTHING, ...state })).map(
      ({ id, participant, problem }) => `${id} ${participant} ${problem}`,
    );

  it('that agree do not prevent the start', () => {
    const rows = new Map<string, Decision>([['t1', 'committed']]);
    const toBeFound = [row('committed', { a: '4.1' })];
    expect(problems({ carriedOut: carriedOut('committed'), rows, toBeFound })).toEqual([]);
    expect(problems({ inDoubt: { a: [inDoubt('t1')] }, toBeFound })).toEqual([]);
    expect(problems({ toBeFound: [row('aborted', { a: '4.1' })] })).toEqual([]);
  });

  it('given a commit without its row, do not match', () => {
    expect(problems({ carriedOut: carriedOut('committed') })).toEqual(['t1 a no-row']);
  });

  it('given a commit without its row that a recovery from replicas named, match: an operator knows of it', () => {
    expect(problems({ carriedOut: carriedOut('committed'), unmatched: new Set(['t1']) })).toEqual([]);
  });

  it('given an abort without a row, match, because the abort was presumed', () => {
    expect(problems({ carriedOut: carriedOut('aborted') })).toEqual([]);
  });

  it.each([
    ['committed', 'aborted'],
    ['aborted', 'committed'],
  ] as const)('given a transaction that is %s here and %s there, contradict each other', (here, there) => {
    expect(problems({ carriedOut: carriedOut(here), rows: new Map([['t1', there]]) })).toEqual(['t1 a other-decision']);
  });

  it('given a committed row that its participant does not know, lead to a question about that promise', () => {
    const state = { ...NOTHING, toBeFound: [row('committed', { a: '4.1' })] };
    expect(missingPromises(state)).toEqual([{ id: 't1', kind: 'books-2pc', participant: 'a', position: '4.1' }]);
    expect(mismatches(state, [])).toEqual([]);
    expect(problems(state)).toEqual(['t1 a never-promised']);
  });

  it('given a completed committed row, lead to questions about its promises, except those whose loss is accepted', () => {
    const completed = { ...row('committed', { a: '4.1' }), completedAtMs: 9 };
    expect(problems({ toBeFound: [{ ...completed, acknowledgements: { a: {} } }] })).toEqual(['t1 a never-promised']);
    expect(problems({ toBeFound: [{ ...completed, acknowledgements: {} }] })).toEqual([]);
  });

  it('given a committed row of a missing participant, do not match', () => {
    expect(problems({ toBeFound: [row('committed', { b: '' })] })).toEqual(['t1 b no-participant']);
  });
});
