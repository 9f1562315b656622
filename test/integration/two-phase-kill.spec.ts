import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rounds } from '../support/long-form.js';
import { SeededRandom } from '../support/seeded-random.js';
import { TransactionShop } from '../support/transaction-shop.js';
import { TwoStoreHistory } from '../support/two-store-history.js';

const CLIENTS = 30;
const REPLICAS = 4;
const ROUNDS = rounds(4, 10);
const MAX_DONE_IN_A_ROUND = 200;
const TEST_TIMEOUT_MS = 600_000;

describe('kill -9 under 30 concurrent writers to both stores', () => {
  let history: TwoStoreHistory;
  let random: SeededRandom;

  beforeEach(async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    random = new SeededRandom(seed);
    history = await TwoStoreHistory.begin(seed, { clients: CLIENTS, replicas: REPLICAS });
  });

  afterEach(async () => {
    await history.end();
  });

  /** The app always; in some rounds one or all of the replicas with it. */
  const kill = async (): Promise<void> => {
    const { app, replicas } = history.cluster;
    const dice = random.below(4);
    const victims = dice === 0 ? replicas : dice === 1 ? [replicas[random.below(REPLICAS)]!] : [];
    await Promise.all([app.kill(), ...victims.map((replica) => replica.kill())]);
  };

  it(
    `${String(ROUNDS)} times on the same data: every node counts one order per book, every acknowledged write exists once, no refused write exists, and nothing is in doubt`,
    async () => {
      await history.live();
      let leftOpen = 0;
      for (let round = 1; round <= ROUNDS; round += 1) {
        const { cluster, seed } = history;
        const shop = new TransactionShop(cluster.app.url);
        const killAt = history.doneCount + 1 + random.below(MAX_DONE_IN_A_ROUND);
        let killed: Promise<void> | undefined;
        await history.load(cluster.app, shop, () => {
          if (history.doneCount >= killAt) killed ??= kill();
          return false;
        });
        await killed;
        await shop.close();
        leftOpen += history.openCount;

        await cluster.revive();
        await cluster.settled();
        const broken = await history.broken();

        expect({ seed, round, broken }).toEqual({ seed, round, broken: [] });
      }
      expect(leftOpen).toBeGreaterThan(0);
      expect(history.doneCount).toBeGreaterThan(ROUNDS * CLIENTS);
    },
    TEST_TIMEOUT_MS,
  );
});
