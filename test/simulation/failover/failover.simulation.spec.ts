import { describe, expect, it } from '@jest/globals';
import { describeFailure, simulate, SITUATIONS } from './simulate.js';
import { PLANTED } from './variant.js';
import { rounds } from '../../support/long-form.js';

/** `npm run simulate -- --protocol failover --seeds 20000` tries more. */
const SEEDS = rounds(500, 2_000);
/** Enough for the rarest of the planted bugs, several times over. */
const SEEDS_FOR_A_BUG = 2_000;
/** Generous, so that no test depends on the speed of the machine. */
const TIMEOUT_MS = 15 * 60_000;

describe('two simulated apps under a monitor', () => {
  it(
    'given processes that die and are held at any step, a monitor that is held or replaced, a slow disk and a lock that fails, lose and double no write, are never both active, and end as one active and one standby',
    () => {
      const met = new Map<string, number>();
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const result = simulate(seed);
        if (result.violation !== undefined) failures.push(describeFailure(seed, result.violation));
        for (const [situation, times] of result.met) met.set(situation, (met.get(situation) ?? 0) + times);
      }
      expect(failures).toEqual([]);
      for (const situation of SITUATIONS) expect(met.get(situation)).toBeGreaterThan(SEEDS / 40);
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(PLANTED))(
    'given the planted bug "%s", break a promise',
    (_, variant) => {
      const seeds = Array.from({ length: SEEDS_FOR_A_BUG }, (__, index) => index + 1);

      expect(seeds.find((seed) => simulate(seed, variant).violation !== undefined)).toBeDefined();
    },
    TIMEOUT_MS,
  );

  it('given the same seed twice, run identically', () => {
    for (const seed of [1, 4, 8, 20, 33]) expect(simulate(seed)).toEqual(simulate(seed));
  });
});
