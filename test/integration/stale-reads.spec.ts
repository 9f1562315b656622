import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Collection } from '../support/audited-client.js';
import { Cluster } from '../support/cluster.js';
import { rounds } from '../support/long-form.js';
import { ReaderProcess } from '../support/reader-process.js';
import { RecordedShop } from '../support/recorded-shop.js';
import { SeededRandom } from '../support/seeded-random.js';
import { race } from '../support/shop-race.js';
import { StaleProxy } from '../support/stale-proxy.js';

/** `npm run race` sets it: the race then lasts so many seconds, instead of so many writes. */
const { RACE_SECONDS } = process.env;
const WRITES: Readonly<Record<Collection, number>> = {
  books: rounds(400, 1_000),
  customers: rounds(200, 400),
};
const CLIENTS = { size: 200, writers: 6, readers: 18 };
const REPLICAS = 2;
/** On a slow machine too, a replica gets what it is asked for. */
const SETTINGS = { READ_WAIT_MS: '60000' };
const TEST_TIMEOUT_MS = 300_000 + Number(RACE_SECONDS ?? 0) * 1_000;

describe('writers and readers that race for 200 resources', () => {
  let cluster: Cluster;
  let reader: ReaderProcess;
  let shop: RecordedShop;

  beforeAll(async () => {
    cluster = await Cluster.prepare(SETTINGS, REPLICAS);
    await cluster.startApp();
    await cluster.settled();
    reader = await ReaderProcess.start(cluster.dataDirectory, cluster.settings);
  }, TEST_TIMEOUT_MS);

  afterEach(() => shop.close());

  afterAll(async () => {
    await reader.kill();
    await cluster.end();
  });

  /** Books are on app and reader. Customers are on replicas too, where a read asks for the last acknowledged write. */
  const nodesOf = (collection: Collection): readonly string[] => [
    ...[cluster.app.url, reader.url],
    ...(collection === 'customers' ? cluster.replicas.map(({ url }) => url) : []),
  ];

  it.each<Collection>(['books', 'customers'])(
    '(%s), read no version older than one that was acknowledged or seen before',
    async (collection) => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const nodes = nodesOf(collection);
      shop = new RecordedShop(collection, nodes.slice(2));
      const endMs = performance.now() + Number(RACE_SECONDS) * 1_000;
      await race({
        ...{ shop, random: new SeededRandom(seed), ...CLIENTS, writeTo: nodes, readFrom: nodes },
        isOver: (writes) => (RACE_SECONDS === undefined ? writes >= WRITES[collection] : performance.now() >= endMs),
      });

      expect({ seed, violations: shop.violations() }).toEqual({ seed, violations: [] });
      expect(shop.unserved).toEqual({});
      expect(cluster.app.printed + reader.printed).toBe('');
    },
    TEST_TIMEOUT_MS,
  );

  it.each<Collection>(['books', 'customers'])(
    '(%s), are caught reading old versions, when a cache in between forgets nothing for a while',
    async (collection) => {
      const proxy = await StaleProxy.inFrontOf(nodesOf(collection).at(-1)!);
      shop = new RecordedShop(collection, [proxy.url]);
      await race({
        ...{ shop, random: new SeededRandom(1), ...CLIENTS },
        ...{ writeTo: [cluster.app.url], readFrom: [cluster.app.url, proxy.url] },
        isOver: (writes) => writes >= 100,
      });
      await proxy.close();

      expect(shop.violations()).toContainEqual(
        expect.stringMatching(/^(books|customers)\/\d+: reader \d*[13579] .*, which is stale: /),
      );
      expect(shop.unserved).toEqual({});
    },
    TEST_TIMEOUT_MS,
  );
});
