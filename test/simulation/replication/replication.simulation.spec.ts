import { describe, expect, it } from '@jest/globals';
import { describeFailure, type Outcome, simulate } from './simulate.js';
import { PLANTED, type Variant } from './variant.js';
import { rounds } from '../../support/long-form.js';

/** `npm run simulate -- --seeds 100000` tries more. */
const SEEDS = rounds(600, 2_400);
/** Enough for the rarest of the planted bugs, several times over. */
const SEEDS_FOR_A_BUG = 1_000;
/** Generous, so that no test depends on the speed of the machine. */
const TIMEOUT_MS = 15 * 60_000;

/** Yields the runs of these seeds, in order, until `isEnough`. */
function* runs(count: number, variant?: Variant): Generator<readonly [seed: number, outcome: Outcome]> {
  for (let seed = 1; seed <= count; seed += 1) yield [seed, simulate(seed, variant)];
}

describe('the simulated cluster', () => {
  it(
    'given random faults, keeps every promise, comes to rest, and uses every decision and effect of the protocol',
    () => {
      const failures: string[] = [];
      const met = new Set<string>();
      let confirmed = 0;
      for (const [seed, outcome] of runs(SEEDS)) {
        if (outcome.violation !== undefined) failures.push(describeFailure(seed, outcome.violation));
        for (const name of outcome.met) met.add(name);
        confirmed += outcome.confirmed;
      }
      expect(failures).toEqual([]);
      expect(confirmed).toBeGreaterThan(SEEDS * 10);
      expect([...met].sort()).toEqual(
        [
          ...['accepted', 'gap', 'diverged', 'stale-epoch'],
          ...['send-append', 'send-snapshot', 'send-set-aside', 'verify', 'confirmed', 'stop'],
          ...['wait', 'pull', 'ask-promises', 'open', 'refuse', 'restore'],
        ].sort(),
      );
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(PLANTED))(
    'given the planted bug "%s", breaks a promise',
    (_, variant) => {
      let found: string | undefined;
      for (const [, { violation }] of runs(SEEDS_FOR_A_BUG, variant)) {
        found = violation;
        if (found !== undefined) break;
      }
      expect(found).toEqual(expect.stringMatching(/^(?:P\d|two primaries|liveness)/));
    },
    TIMEOUT_MS,
  );

  it('given the same seed twice, runs identically', () => {
    for (const seed of [1, 4, 8, 24]) expect(simulate(seed)).toEqual(simulate(seed));
  });
});
