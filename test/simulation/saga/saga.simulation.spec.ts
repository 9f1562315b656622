import { describe, expect, it } from '@jest/globals';
import { describeFailure, simulate, SITUATIONS } from './simulate.js';
import { PLANTED } from './variant.js';
import { rounds } from '../../support/long-form.js';

/** `npm run simulate -- --protocol saga --seeds 20000` tries more. */
const SEEDS = rounds(500, 2_000);
/** Enough for the rarest of the planted bugs, several times over. */
const SEEDS_FOR_A_BUG = 2_000;
/** Generous, so that no test depends on the speed of the machine. */
const TIMEOUT_MS = 15 * 60_000;

/** What each planted bug must be caught by. */
const CAUGHT_BY: Readonly<Record<keyof typeof PLANTED, RegExp>> = {
  'compensate out of order': /^saga \d+ holds credit for an order that it does not lock/,
  'outbox outside the transaction': /^the comparison refuses files of one time: /,
  'take stock before authorising': /^saga \d+ has taken stock, and nobody has authorised it/,
  'capture before taking': /^saga \d+ has charged a user, and its stock is not taken/,
  'void before a late authorise': /^P4: user-\d has \d+ held for /,
  'a timeout compensates': /^P7: saga \d+ was answered as refused, and has taken something/,
  'paid before captured': /^P6: order-\d is paid, and its credit is only held/,
  'a step does not look for its row': /^P4: /,
  'orders are replaced without a pause': /^saga \d+ is superseded, and credit is held for it/,
  'an event is noted as delivered when it is sent': /^the comparison refuses files of one time: /,
};

describe('a simulated shop whose checkouts are sagas', () => {
  it(
    'given lost, late, repeated and reordered events, deaths and full disks, conserves credit and stock, answers the truth and ends every saga',
    () => {
      const met = new Map<string, number>();
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const result = simulate(seed);
        if (result.violation !== undefined) failures.push(describeFailure(seed, result.violation));
        for (const [situation, times] of result.met) met.set(situation, (met.get(situation) ?? 0) + times);
      }
      expect(failures).toEqual([]);
      for (const situation of SITUATIONS) expect(met.get(situation)).toBeGreaterThan(SEEDS / 200);
    },
    TIMEOUT_MS,
  );

  it.each(Object.entries(PLANTED))(
    'given the planted bug "%s", breaks the promise that the bug is about',
    (bug, variant) => {
      const seeds = Array.from({ length: SEEDS_FOR_A_BUG }, (_, index) => index + 1);

      expect(seeds.find((seed) => CAUGHT_BY[bug]?.test(simulate(seed, variant).violation ?? ''))).toBeDefined();
    },
    TIMEOUT_MS,
  );

  it('given the same seed twice, runs identically', () => {
    for (const seed of [1, 4, 8, 20, 33]) expect(simulate(seed)).toEqual(simulate(seed));
  });
});
