import { describe, expect, it } from '@jest/globals';
import { describeFailure, simulate } from './simulate.js';
import { PLANTED } from './variant.js';

/** `npm run simulate -- --protocol groups --seeds 20000` tries more. */
const SEEDS = 3_000;
/** Generous: how slow a machine is shall never decide a test. */
const TIMEOUT_MS = 15 * 60_000;

describe('simulated clients that keep groups on all nodes', () => {
  it(
    'given whatever goes wrong, never lie, leave nothing open that can be finished, and leave all nodes alike',
    () => {
      const told = new Map<string, number>();
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const result = simulate(seed);
        if (result.violation !== undefined) failures.push(describeFailure(seed, result.violation));
        for (const [outcome, times] of result.told) told.set(outcome, (told.get(outcome) ?? 0) + times);
      }
      expect(failures).toEqual([]);
      for (const outcome of ['done', 'refused', 'rolled-back', 'open']) {
        expect(told.get(outcome)).toBeGreaterThan(SEEDS);
      }
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(PLANTED))(
    'given the planted bug "%s", are found to break a promise',
    (_, variant) => {
      const found = Array.from({ length: SEEDS }, (__, index) => index + 1).find(
        (seed) => simulate(seed, variant).violation !== undefined,
      );

      expect(found).toBeDefined();
    },
    TIMEOUT_MS,
  );

  it('given the same seed twice, run alike', () => {
    for (const seed of [1, 4, 8, 20, 33]) expect(simulate(seed)).toEqual(simulate(seed));
  });
});
