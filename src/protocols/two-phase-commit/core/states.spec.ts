import { describe, expect, it } from '@jest/globals';
import { isEnded, moved, TRANSITIONS, type TransactionState } from './states.js';

const states = Object.keys(TRANSITIONS) as TransactionState[];

/** All states that can follow a state. */
function reachableFrom(state: TransactionState): ReadonlySet<TransactionState> {
  const reached = new Set<TransactionState>([state]);
  for (const each of reached) for (const next of Object.values(TRANSITIONS[each])) reached.add(next);
  return reached;
}

describe('the states of a transaction', () => {
  it('can all be reached from the first state', () => {
    expect([...reachableFrom('preparing')].sort()).toEqual([...states].sort());
  });

  it('all lead to a final state, which no transaction leaves', () => {
    for (const state of states) {
      expect([...reachableFrom(state)].some(isEnded)).toBe(true);
      if (isEnded(state)) expect([...reachableFrom(state)]).toEqual([state]);
    }
  });

  it('never lead from one decision to the other', () => {
    expect([...reachableFrom('committing')].sort()).toEqual(['committed', 'committing']);
    expect([...reachableFrom('aborting')].sort()).toEqual(['aborted', 'aborting']);
  });

  it('lead to a commit only through a row', () => {
    const turns = states.flatMap((state) => Object.entries(TRANSITIONS[state]));
    expect(turns.filter(([, to]) => to === 'committing').map(([turn]) => turn)).toEqual(Array(3).fill('row-committed'));
  });

  it('reject a turn that cannot occur in them', () => {
    expect(() => moved('unmatched', 'presumed-aborted')).toThrow('unmatched cannot be presumed-aborted');
    expect(() => moved('committed', 'row-aborted')).toThrow('committed cannot be row-aborted');
  });
});
