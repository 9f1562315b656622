import { beforeEach, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf } from '../../src/platform/redis/index.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReaderProcess } from '../support/reader-process.js';
import { describeOnRedis, type RedisCluster } from '../support/redis-cluster.js';
import { Client } from './support/client.js';
import { BOOK } from './support/resources.js';
import { itemOf, Shop } from './support/shop.js';

const LIST = '/books?limit=100';
const WITHIN = { withinMs: 60_000, everyMs: 50 };
const READERS = 1_000;

async function onMasters<T>(cluster: RedisCluster, task: (node: Redis) => Promise<T>): Promise<readonly T[]> {
  const views = (await cluster.views()).filter(({ itself }) => itself.masterId === undefined);
  const nodes = cluster.nodes.filter(({ port }) => views.some(({ endpoint }) => endpoint.port === port));
  return Promise.all(nodes.map((node) => cluster.on(node, task)));
}

/** The keys of values, without leases and indexes. */
async function storedKeys(cluster: RedisCluster): Promise<readonly string[]> {
  const keys = await onMasters(cluster, (node) => node.keys('*:books:*'));
  return keys.flat().filter((key) => !key.includes('{'));
}

async function metric(client: Client, series: string): Promise<number> {
  const text = (await client.get('/metrics')).text;
  return Number(new RegExp(`^${series.replaceAll(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

describeOnRedis('with a Redis Cluster', (cluster) => {
  const redis = (): Readonly<Record<string, string>> => ({
    REDIS_CLUSTER_NODES: cluster().addresses,
    REDIS_PASSWORD: cluster().password,
  });
  const run = async (
    environment: Readonly<Record<string, string>>,
    test: (client: Client, app: AppProcess) => Promise<void>,
    kept?: string,
  ): Promise<void> => {
    const directory = kept ?? temporaryDirectory();
    const app = await AppProcess.start(directory, { ...redis(), ...environment });
    try {
      await test(new Client(app.url), app);
    } finally {
      await app.kill();
      if (kept === undefined) removeDirectory(directory);
    }
  };
  const sourceOf = async (client: Client, path: string): Promise<string> => {
    const answer = await client.get(path);
    expect(answer.status).toBe(200);
    return answer.header('x-cache');
  };
  const untilFrom = (source: string, client: Client, path = LIST): Promise<void> =>
    eventually(async () => expect(await sourceOf(client, path)).toBe(source), WITHIN);

  const untilAvailable = (client: Client): Promise<void> =>
    eventually(async () => expect((await client.get('/health/ready')).text).toContain('available'), WITHIN);

  // Keys of the apps of earlier tests.
  beforeEach(() => onMasters(cluster(), (node) => node.flushall()));

  it('lists come from Redis when memory does not hold them, byte for byte, and single books never do', () =>
    run({ CACHE_BYTES: '0' }, async (client) => {
      const at = await client.add(BOOK.path, BOOK.input);
      await untilFrom('redis', client);
      const [cached, again] = [await client.get(LIST), await client.get(`${LIST}&after=0`)];

      expect([cached.text, cached.header('etag'), cached.header('x-total-count')]).toEqual([
        again.text,
        again.header('etag'),
        '1',
      ]);
      expect((await client.get(LIST, { 'if-none-match': cached.header('etag') })).status).toBe(304);
      expect([await sourceOf(client, at), await sourceOf(client, at)]).toEqual(['miss', 'miss']);
    }));

  it('a write sends the next read to the database, and its former entries leave Redis', () =>
    run({ CACHE_BYTES: '0' }, async (client) => {
      await client.add(BOOK.path, BOOK.input);
      await untilFrom('redis', client);
      const [former = ''] = await storedKeys(cluster());
      await client.add(BOOK.path, BOOK.input);

      expect(await sourceOf(client, LIST)).toBe('miss');
      await eventually(async () => {
        const keys = await storedKeys(cluster());
        expect([keys.includes(former), keys.length]).toEqual([false, 1]);
      }, WITHIN);
    }));

  it('a checkout shows in the next read of a list, by the app and by a reader', async () => {
    const directory = temporaryDirectory();
    await run(
      { CACHE_BYTES: '0' },
      async (client) => {
        const reader = await ReaderProcess.start(directory, { ...redis(), CACHE_BYTES: '0' });
        try {
          const clients = [client, new Client(reader.url)];
          const shop = new Shop(() => client);
          const book = await shop.book(500, 3);
          const order = await shop.order(await shop.user(1_000), [[itemOf(book), 2]]);
          for (const one of clients) await untilFrom('redis', one);
          expect((await shop.checkOut(order)).status).toBe(200);
          for (const one of clients)
            expect((await one.get(LIST)).json()).toEqual([expect.objectContaining({ quantity: 1 })]);
        } finally {
          await reader.kill();
        }
      },
      directory,
    );
    removeDirectory(directory);
  });

  it('a start of the app hits nothing of its former incarnation, whose entries leave Redis', async () => {
    const directory = temporaryDirectory();
    const environment = { CACHE_BYTES: '0' };
    await run(
      environment,
      async (client) => {
        await client.add(BOOK.path, BOOK.input);
        await untilFrom('redis', client);
      },
      directory,
    );
    const former = await storedKeys(cluster());

    await run(
      environment,
      async (client) => {
        await untilAvailable(client);
        await eventually(async () => {
          const keys = await storedKeys(cluster());
          expect(former.filter((key) => keys.includes(key))).toEqual([]);
        }, WITHIN);
        await untilFrom('redis', client);
      },
      directory,
    );
    removeDirectory(directory);
  });

  it(`${String(READERS)} readers at once of what no tier holds, make one read of the database`, () =>
    run({}, async (client) => {
      await untilAvailable(client);
      const misses = 'bifolio_cache_reads_total{tier="redis",result="miss"}';
      const before = await metric(client, misses);
      await client.add(BOOK.path, BOOK.input);

      const answers = await Promise.all(Array.from({ length: READERS }, () => client.get(LIST)));

      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect((await metric(client, misses)) - before).toBe(1);
    }));

  it('health and metrics tell of it, for each node', () =>
    run({ CACHE_BYTES: '0' }, async (client) => {
      await untilFrom('redis', client);

      expect((await client.get('/health/ready')).json<{ details: object }>().details).toMatchObject({
        cache: { status: 'up', redis: 'available' },
      });
      const { text } = await client.get('/metrics');
      expect(text).toMatch(/^bifolio_cache_reads_total\{tier="redis",result="hit"\} [1-9]/m);
      expect(text).toMatch(/^bifolio_redis_calls_total\{node="127\.0\.0\.1:\d+",result="hit"\} [1-9]/m);
      expect(text).toMatch(/^bifolio_redis_breaker\{node="127\.0\.0\.1:\d+"\} 0$/m);
      expect(text).toMatch(/^bifolio_redis_call_duration_seconds_count\{node="127\.0\.0\.1:\d+"\} [1-9]/m);
    }));

  it.each([{ CACHE: 'off' }, { REDIS: 'off', CACHE_BYTES: '0' }])('%j does without', (environment) =>
    run(environment, async (client) => {
      for (let n = 0; n < 3; n += 1) expect(await sourceOf(client, LIST)).toBe('miss');
      expect((await client.get('/health/ready')).json<{ details: object }>().details).toMatchObject({
        cache: { redis: 'off' },
      });
    }),
  );

  it('that starts after the app, and comes back on other ports, is joined', async () => {
    const directory = temporaryDirectory();
    try {
      await run(
        { REDIS_CLUSTER_NODES: '', REDIS_PASSWORD: '', CACHE_BYTES: '0' },
        async (client) => {
          expect((await client.get('/health/ready')).text).toContain('"redis":"off"');
          symlinkSync(cluster().directory, join(directory, 'redis'));
          await untilFrom('redis', client);
          await cluster().moveAll();
          await untilFrom('redis', client);
          const { text } = await client.get('/metrics');
          expect(cluster().nodes.some((node) => text.includes(nameOf(node)))).toBe(true);
        },
        directory,
      );
    } finally {
      removeDirectory(directory);
    }
  });

  it(
    'all of whose nodes are killed, changes no answer, and is used again when they are back',
    () =>
      run({ CACHE_BYTES: '0' }, async (client, app) => {
        await untilFrom('redis', client);
        await Promise.all(cluster().nodes.map((node) => cluster().kill(node)));
        const health = await client.get('/health/ready');
        expect([health.status, health.json<{ details: object }>().details]).toMatchObject([
          200,
          { cache: { status: 'up', redis: 'unavailable' } },
        ]);

        for (let n = 0; n < 20; n += 1) {
          await client.add(BOOK.path, BOOK.input);
          expect((await client.get(LIST)).json<object[]>()).toHaveLength(n + 1);
        }
        await Promise.all(cluster().nodes.map((node) => cluster().restart(node)));
        await untilFrom('redis', client);
        cluster().nodes.forEach((node) => {
          cluster().stop(node);
        });
        const exit = await app.stop();
        cluster().nodes.forEach((node) => {
          cluster().continue(node);
        });

        expect(exit.code).toBe(0);
      }),
    120_000,
  );
});
