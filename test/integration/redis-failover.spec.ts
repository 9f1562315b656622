import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import type { RaceProgress } from '../support/race-under-faults.js';
import { describeOnRedis, type RedisNode } from '../support/redis-cluster.js';
import { RedisShop } from '../support/redis-shop.js';

const TEST_TIMEOUT_MS = 600_000;
const PAGES = Array.from({ length: 40 }, (_, index) => `/books?limit=${String(index + 1)}`);
const MEBIBYTE = 1_024 * 1_024;
/** More than the sockets between two nodes hold. */
const LOST_MEBIBYTES = 40;
describeOnRedis('with nodes of the Redis Cluster failing under a race for 200 books', (redis) => {
  let shop: RedisShop;

  beforeAll(async () => {
    shop = await RedisShop.start(redis());
  });

  afterAll(() => shop.end());

  /** After the race, which finds no fault with the answers, every shard serves hits. */
  const raceDuring = async (faults: (progress: RaceProgress) => Promise<void>): Promise<void> => {
    await shop.race(faults);
    await redis().waitUntilWhole();
    await expectHitsEverywhere();
  };

  const sourceOf = async (url: string): Promise<string | null> => (await fetch(url)).headers.get('x-cache');

  const expectHitsEverywhere = async (): Promise<void> => {
    await eventually(
      async () => {
        const sources = [];
        for (const url of shop.urls) for (const path of PAGES) sources.push(await sourceOf(`${url}${path}`));
        expect(new Set(sources)).toEqual(new Set(['redis']));
      },
      { withinMs: 60_000 },
    );
    for (const url of shop.urls) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics.match(/^bifolio_redis_breaker.* [12]$/m)).toBeNull();
    }
    const masters = await Promise.all([0, 8_191, 16_383].map((slot) => redis().masterOfSlot(slot)));
    const keys = await Promise.all(masters.map((master) => redis().on(master, (node) => node.dbsize())));
    expect(new Set(masters.map(({ port }) => port)).size).toBe(3);
    expect(Math.min(...keys)).toBeGreaterThan(0);
  };

  const killAndSucceed = async (master: RedisNode, progress: RaceProgress): Promise<RedisNode> => {
    const successor = await redis().replicaOf(master);
    await redis().kill(master);
    await progress.more(200, 40);
    await redis().waitForRoles([[successor, 'master']]);
    await progress.hits(50);
    await redis().restart(master);
    await redis().waitForLinkUp(master);
    await progress.hits(50);
    return successor;
  };

  it(
    'a master is killed, and once it has rejoined its successor: reads go on, the replica takes over, and lists come from Redis',
    async () => {
      const first = await redis().masterOf('books:42');
      await raceDuring(async (progress) => {
        await progress.hits(50);
        const successor = await killAndSucceed(first, progress);
        expect(await killAndSucceed(successor, progress)).toEqual(first);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'all six are killed and come back: reads and writes go on without an error, then lists come from Redis, and nothing is stale',
    async () => {
      await raceDuring(async (progress) => {
        await progress.hits(50);
        await Promise.all(redis().nodes.map((node) => redis().kill(node)));
        await progress.more(400, 80);
        await Promise.all(redis().nodes.map((node) => redis().restart(node)));
        await redis().waitUntilWhole();
        await progress.hits(100);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'each is stopped in turn, also the one that tells the app the slots: no request waits until it goes on',
    async () => {
      await raceDuring(async (progress) => {
        for (const node of redis().nodes) {
          await progress.hits(20);
          redis().stop(node);
          await progress.more(400, 80);
          redis().continue(node);
          await redis().waitUntilWhole();
        }
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'all six are stopped at once: no request waits until they go on',
    async () => {
      await raceDuring(async (progress) => {
        await progress.hits(50);
        for (const node of redis().nodes) redis().stop(node);
        await progress.more(400, 80);
        for (const node of redis().nodes) redis().continue(node);
        await progress.hits(50);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'a master dies with 40 MB of acknowledged writes that its replica never got: they are lost, and nothing is stale',
    async () => {
      await raceDuring(async (progress) => {
        const master = await redis().masterOf('{lost}');
        const replica = await redis().replicaOf(master);
        await progress.hits(50);
        redis().stop(replica);
        await redis().on(master, async (node) => {
          for (let count = 0; count < LOST_MEBIBYTES; count += 1)
            await node.set('{lost}', Buffer.alloc(MEBIBYTE, count));
          expect(await node.set('{lost}:acknowledged', 'yes')).toBe('OK');
        });
        await progress.hits(50);
        await redis().kill(master);
        redis().continue(replica);
        await redis().waitForRoles([[replica, 'master']]);
        expect(await redis().on(replica, (node) => node.get('{lost}:acknowledged'))).toBeNull();
        await progress.hits(50);
        await redis().restart(master);
        await redis().waitForLinkUp(master);
        await progress.more(100, 20);
      });
    },
    TEST_TIMEOUT_MS,
  );
});
