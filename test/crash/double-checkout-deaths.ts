import { SAGA_CRASH_SITES } from '../../src/protocols/saga/index.js';
import { CheckoutHistory } from '../integration/checkout-history.js';
import { SeededRandom } from '../support/seeded-random.js';
import type { DoubleDeath } from './double-deaths.js';

/** So many reach every first site. */
const ORDERS = 40;
/** The next incarnation gets a few, so that a second site which its start does not reach is reached under load. */
const ORDERS_AFTER = 10;

/** A start delivers again what the first death left: up to the pass, in its first steps. */
const PASSES: readonly number[] = [1, 2, 3, 4, 9];

/** Where an incarnation under load dies: at each step of the first saga, and among many. */
export const FIRST_CHECKOUT_SITES: readonly string[] = SAGA_CRASH_SITES.flatMap((site) =>
  PASSES.map((pass) => `${site}#${String(pass)}`),
);

/** Where the next one dies: mostly in its start, while it goes on with what the first one left. */
export const SECOND_CHECKOUT_SITES: readonly string[] = [
  ...['saga.step.before#1', 'saga.step.before#3', 'saga.step.after#1', 'saga.step.after#3', 'saga.note.after#1'],
  ...['sql.epoch.after#1', 'sql.commit.before#8', 'sql.commit.after#8'],
];

/** Two incarnations of the shop that die one after the other, and the audit of what is left. */
export async function dieTwiceInCheckouts(seed: number, first: string, second: string): Promise<DoubleDeath> {
  const history = new CheckoutHistory(new SeededRandom(seed));
  try {
    await history.begin();
    const death = await history.dieAt(first, ORDERS);
    const again = await history.dieAt(second, ORDERS_AFTER);
    const odd = [death, again].flatMap((one) =>
      one === undefined || one.signal === 'SIGKILL' ? [] : [`it ended by itself: ${JSON.stringify(one)}`],
    );
    return {
      ...{ first, second, diedFirst: death !== undefined, diedAgain: again?.when ?? 'not reached' },
      broken: [...odd, ...(await history.audit().catch((error: unknown) => [String(error)]))],
    };
  } finally {
    await history.end();
  }
}
