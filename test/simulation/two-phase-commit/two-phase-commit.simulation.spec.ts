import { describe, expect, it } from '@jest/globals';
import { Coverage } from './coverage.js';
import { EVERYTHING } from './everything.js';
import { PLANTED } from './planted-bugs.js';
import { describeFailure, type Outcome, simulate } from './simulate.js';
import type { Variant } from './variant.js';
import { rounds } from '../../support/long-form.js';

/** `npm run simulate -- --protocol two-phase-commit --seeds 20000` tries more. */
const SEEDS = rounds(500, 2_000);
/** Enough for the rarest of the planted bugs, several times over. */
const SEEDS_FOR_A_BUG = 2_000;
/** Generous, so that no test depends on the speed of the machine. */
const TIMEOUT_MS = 15 * 60_000;

/** Yields the runs of these seeds, in order. */
async function* runs(count: number, variant?: Variant): AsyncGenerator<readonly [seed: number, outcome: Outcome]> {
  for (let seed = 1; seed <= count; seed += 1) yield [seed, await simulate(seed, variant)];
}

describe('the simulated transactions over several stores', () => {
  it(
    'given random faults, are in all stores or in none, end, and contain every kind of event',
    async () => {
      const failures: string[] = [];
      const met = new Coverage();
      let committed = 0;
      for await (const [seed, outcome] of runs(SEEDS)) {
        if (outcome.violation !== undefined) failures.push(describeFailure(seed, outcome.violation));
        met.add(outcome.met);
        committed += outcome.committed;
      }
      expect(failures).toEqual([]);
      expect(committed).toBeGreaterThan(SEEDS * 10);
      expect(EVERYTHING.filter((what) => !met.counts.has(what))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(PLANTED))(
    'given the planted bug "%s", break a promise',
    async (_, variant) => {
      let found: string | undefined;
      for await (const [, { violation }] of runs(SEEDS_FOR_A_BUG, variant)) {
        found = violation;
        if (found !== undefined) break;
      }
      expect(found).toEqual(expect.stringMatching(/^(?:P\d|liveness)/));
    },
    TIMEOUT_MS,
  );

  it('given the same seed twice, run identically', async () => {
    for (const seed of [1, 4, 8, 20, 33]) expect(await simulate(seed)).toEqual(await simulate(seed));
  });
});
