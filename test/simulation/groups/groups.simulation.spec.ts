import { describe, expect, it } from '@jest/globals';
import { describeFailure, simulate } from './simulate.js';
import { PLANTED } from './variant.js';
import { rounds } from '../../support/long-form.js';

/** `npm run simulate -- --protocol groups --seeds 20000` tries more. */
const SEEDS = rounds(800, 3_000);
/** Enough for the rarest of the planted bugs, several times over. */
const SEEDS_FOR_A_BUG = 3_000;
/** Generous, so that no test depends on the speed of the machine. */
const TIMEOUT_MS = 15 * 60_000;

describe('simulated clients that keep groups on all nodes', () => {
  it(
    'given random faults, report the truth, finish every operation that can be finished, and leave all nodes equal',
    () => {
      const outcomes = new Map<string, number>();
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const result = simulate(seed);
        if (result.violation !== undefined) failures.push(describeFailure(seed, result.violation));
        for (const [outcome, times] of result.reports) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + times);
      }
      expect(failures).toEqual([]);
      for (const outcome of ['done', 'refused', 'rolled-back', 'open']) {
        expect(outcomes.get(outcome)).toBeGreaterThan(SEEDS);
      }
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(PLANTED))(
    'given the planted bug "%s", break a promise',
    (_, variant) => {
      const found = Array.from({ length: SEEDS_FOR_A_BUG }, (__, index) => index + 1).find(
        (seed) => simulate(seed, variant).violation !== undefined,
      );

      expect(found).toBeDefined();
    },
    TIMEOUT_MS,
  );

  it('given the same seed twice, run identically', () => {
    for (const seed of [1, 4, 8, 20, 33]) expect(simulate(seed)).toEqual(simulate(seed));
  });
});
