import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SAGA_CRASH_SITES } from '../../src/protocols/saga/index.js';
import { someOf } from '../support/long-form.js';
import { SeededRandom } from '../support/seeded-random.js';
import { CheckoutHistory } from './checkout-history.js';

const WITHIN_MS = 240_000;
/** `CHECKOUT_KILLS=10 npm test -- --only integration test/integration/checkout-kill` kills it more often. */
const KILLS = Number(process.env['CHECKOUT_KILLS'] ?? '3');
const SEED = Number(process.env['CHECKOUT_SEED'] ?? '1');
const ORDERS_PER_LIFE = 60;
/** From the start to the end of a saga there are four steps; the next saga passes the sites again. */
const PASSES = someOf([1, 2, 3, 4, 9], 2);

describe('kill -9 of the app during checkouts', () => {
  let random: SeededRandom;
  let history: CheckoutHistory;

  beforeEach(async () => {
    random = new SeededRandom(SEED);
    history = new CheckoutHistory(random);
    await history.begin();
  });

  afterEach(async () => {
    await history.end();
  });

  it(
    `given ${String(KILLS)} kills at random under load, ends every saga as its client was told, and all adds up`,
    async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await history.killAfter(1 + random.below(ORDERS_PER_LIFE - 1), ORDERS_PER_LIFE);
        expect([`seed ${String(SEED)}, kill ${String(kill)}`, await history.audit()]).toEqual([expect.anything(), []]);
      }
      expect(history.counts.paid).toBeGreaterThan(0);
    },
    WITHIN_MS,
  );

  it(
    'given a death at each crash site, also in the start that goes on with what the last one left, ends every saga, and all adds up',
    async () => {
      const sites = SAGA_CRASH_SITES.flatMap((site) => PASSES.map((pass) => `${site}#${String(pass)}`));
      for (const site of sites) {
        expect([site, await history.dieAt(site, ORDERS_PER_LIFE)]).toMatchObject([
          site,
          { code: null, signal: 'SIGKILL' },
        ]);
      }
      expect(await history.audit()).toEqual([]);
    },
    WITHIN_MS,
  );
});
