import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { audit, AuditedClient } from '../support/audited-client.js';
import { Cluster } from '../support/cluster.js';
import { rounds } from '../support/long-form.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy } from '../support/shop-load.js';

const CLIENTS = 50;
const MAX_WRITES_IN_A_ROUND = 300;
const REPLAYS_PER_CLIENT = 2;
const TEST_TIMEOUT_MS = 600_000;

type Victims = 'the app' | 'a replica' | 'two replicas' | 'everything';

describe('kill -9 under 50 concurrent writers', () => {
  let cluster: Cluster;
  let clients: readonly AuditedClient[];
  let random: SeededRandom;
  let seed: number;

  beforeEach(async () => {
    seed = Math.floor(Math.random() * 2 ** 32);
    random = new SeededRandom(seed);
    clients = Array.from(
      { length: CLIENTS },
      (_, index) => new AuditedClient(`c${String(index)}`, 'customers', new SeededRandom(seed + index)),
    );
    cluster = await Cluster.start();
  });

  afterEach(async () => {
    await cluster.end();
  });

  const kill = async (victims: Victims): Promise<void> => {
    const [first, second] = [random.below(4), random.below(3)];
    const replicas = {
      'the app': [],
      'a replica': [first],
      'two replicas': [first, (first + 1 + second) % 4],
      everything: [0, 1, 2, 3],
    }[victims];
    const isAppKilled = victims === 'the app' || victims === 'everything';
    const killed = replicas.map((index) => cluster.replicas[index]?.kill());
    await Promise.all([...killed, ...(isAppKilled ? [cluster.app.kill()] : [])]);
  };

  /** Writes until `isOver`; what is not answered as done or refused is asked for again, as a careful client does. */
  const load = async (shop: ShopClient, isOver: () => boolean): Promise<void> => {
    await Promise.all(
      clients.map(async (client) => {
        let isAnswered = true;
        while (!isOver() && (isAnswered || !cluster.app.hasExited)) {
          isAnswered = await (client.open === undefined ? client.write(shop.send) : client.repeatOpen(shop.send));
        }
      }),
    );
  };

  it.each<[Victims, number]>([
    ['the app', rounds(2, 5)],
    ['a replica', rounds(2, 5)],
    ['two replicas', rounds(2, 3)],
    ['everything', rounds(2, 5)],
  ])(
    'of %s, %i times on the same data: after catching up, every node has every acknowledged write exactly once',
    async (victims, rounds) => {
      for (let round = 1; round <= rounds; round += 1) {
        const shop = new ShopClient(cluster.app.url);
        const killAt = acknowledgedBy(clients) + 1 + random.below(MAX_WRITES_IN_A_ROUND);
        const goOnTo = killAt + CLIENTS;
        let killed: Promise<void> | undefined;
        await load(shop, () => {
          if (acknowledgedBy(clients) >= killAt) killed ??= kill(victims);
          return acknowledgedBy(clients) >= goOnTo;
        });
        await killed;
        await shop.close();

        await cluster.revive();
        await cluster.settled();
        const after = new ShopClient(cluster.app.url);
        const found = audit(clients, await after.stored());
        const repeated = await Promise.all(clients.map((client) => client.repeatOpen(after.send)));
        await Promise.all(clients.map((client) => client.replay(after.send, REPLAYS_PER_CLIENT)));
        const broken = [...found, ...audit(clients, await after.stored()), ...(await cluster.differences())];
        await after.close();

        expect({ seed, victims, round, broken }).toEqual({ seed, victims, round, broken: [] });
        expect(repeated).not.toContain(false);
      }
      expect(acknowledgedBy(clients)).toBeGreaterThan(rounds * CLIENTS);
    },
    TEST_TIMEOUT_MS,
  );
});
