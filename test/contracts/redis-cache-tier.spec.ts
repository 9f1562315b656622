import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { GenerationCache } from '../../src/platform/cache/index.js';
import { monotonicMs, systemRandom, systemTimers } from '../../src/platform/process/index.js';
import { NodeSkipped, RedisCacheTier, RedisClient } from '../../src/platform/redis/index.js';
import { eventually } from '../support/eventually.js';
import { RecordingLog } from '../support/recording-log.js';
import { describeOnRedis, type RedisCluster, type RedisNode } from '../support/redis-cluster.js';
import { VersionedTable } from '../support/versioned-table.js';
import { sharedCacheTierContract } from './shared-cache-tier-contract.js';

const VALUE = Buffer.from('value');
/** No call is to fail because this machine is busy. */
const PATIENT_MS = 20_000;
const WITHIN_MS = 60_000;

describeOnRedis('the cache tier in a Redis Cluster', (cluster) => {
  let redis: RedisClient;
  let tier: RedisCacheTier;
  const log = new RecordingLog();
  const open = async (deadlineMs?: number): Promise<RedisClient> => {
    const client = await RedisClient.open(cluster(), { log, nowMs: monotonicMs }, deadlineMs);
    await eventually(
      () => {
        expect(client.isReady).toBe(true);
      },
      { withinMs: WITHIN_MS },
    );
    return client;
  };
  const keysOf = (node: RedisNode): Promise<readonly string[]> => cluster().on(node, (each) => each.keys('*'));
  const masters = (whole: RedisCluster): readonly RedisNode[] => whole.nodes.slice(0, 3);

  beforeAll(async () => {
    redis = await open(PATIENT_MS);
    tier = new RedisCacheTier(redis, systemRandom);
  });
  afterAll(() => {
    redis.close();
  });

  sharedCacheTierContract(() => tier);

  it('spreads keys, and the parts of their index, over all masters', async () => {
    const of = { group: 'spread', generation: 1 };
    const names = Array.from({ length: 60 }, (_, n) => `spread:1:after=${String(n)}`);
    await Promise.all(names.map((key) => tier.set(key, VALUE, of)));

    for (const master of masters(cluster())) {
      const keys = (await keysOf(master)).filter((key) => key.startsWith('spread:'));
      expect(keys.some((key) => key.startsWith('spread:1:'))).toBe(true);
      expect(keys.some((key) => key.startsWith('spread:keys:'))).toBe(true);
    }
    await tier.removeBefore({ ...of, generation: 2 });
    const left = (await Promise.all(masters(cluster()).map(keysOf))).flat();
    expect(left.filter((key) => key.startsWith('spread:'))).toEqual([]);
  });

  it('lets every value and index expire', async () => {
    await tier.set('expires:1:a', VALUE, { group: 'expires', generation: 1 });

    for (const master of masters(cluster())) {
      for (const key of (await keysOf(master)).filter((each) => each.startsWith('expires:'))) {
        const minutes = (await cluster().on(master, (node) => node.pttl(key))) / 60_000;
        expect([key, minutes > 9 && minutes <= 24]).toEqual([key, true]);
      }
    }
  });

  it('with a full index, stores every value, also one that expired, and drops another for a new one', async () => {
    const small = new RedisCacheTier(redis, systemRandom, 1);
    const of = { group: 'full', generation: 1 };
    const names = Array.from({ length: 60 }, (_, n) => `full:1:after=${String(n)}`);
    for (const key of names) {
      await small.set(key, VALUE, of);
      expect(await small.get(key)).toEqual(VALUE);
    }

    const held = async (): Promise<readonly string[]> => {
      const keys = (await Promise.all(masters(cluster()).map(keysOf))).flat();
      return keys.filter((key) => names.includes(key)).sort();
    };
    const left = await held();
    expect(left).toHaveLength(12);
    for (const key of left) {
      await redis.call('unlink', [key]);
      await small.set(key, VALUE, of);
    }
    expect(await held()).toEqual(left);
    await small.removeBefore({ ...of, generation: 2 });
    expect(await held()).toEqual([]);
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['empty', () => Buffer.alloc(0)],
    ['changed in one bit', (bytes: Buffer) => Buffer.from(bytes).fill((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1)],
  ])('takes a value that is %s for absent, and replaces it', async (how, damage) => {
    const [key, of] = [`damaged:1:${how}`, { group: 'damaged', generation: 1 }];
    await tier.set(key, VALUE, of);
    const stored = (await redis.get(key)) ?? Buffer.alloc(0);
    await redis.call('set', [key, damage(stored)]);

    expect([await tier.get(key), await tier.claim(key, 'a')]).toEqual([undefined, 'load']);
    await tier.set(key, VALUE, of);
    expect(await tier.get(key)).toEqual(VALUE);
  });

  it('lets two processes with 1,000 readers of a cold key read the database once', async () => {
    const table = new VersionedTable();
    table.restore(new Map([['a', 'text']]), 1, 'stampede');
    const caches = [1, 2].map(() => {
      const cache = new GenerationCache<{ bytes: Buffer }>(table, 0);
      cache.share({
        ...{ tier, encode: ({ bytes }) => bytes, decode: (bytes) => ({ bytes }), maxWaitMs: PATIENT_MS },
        ports: { log, random: systemRandom, timers: systemTimers, nowMs: monotonicMs },
      });
      return cache;
    });
    // A lease expires after a second, which a machine that is held up may exceed.
    await eventually(async () => {
      const [name, before] = [`a${String(table.loads)}`, table.loads];
      const reads = caches.flatMap((cache) =>
        Array.from({ length: 500 }, async () => cache.readShared('books', name, () => ({ bytes: VALUE }))),
      );

      expect(new Set((await Promise.all(reads)).map(({ source }) => source))).toEqual(new Set(['miss', 'redis']));
      expect(table.loads - before).toBe(1);
    });
    await tier.removeBefore({ group: 'stampede:books', generation: 2 });
  });

  it('deletes an index of a wrong type, and keeps values again', async () => {
    const of = { group: 'foreign', generation: 1 };
    const names = Array.from({ length: 60 }, (_, n) => `foreign:1:after=${String(n)}`);
    const held = async (): Promise<readonly string[]> =>
      (await Promise.all(masters(cluster()).map(keysOf))).flat().filter((key) => key.startsWith('foreign:'));
    const overwrite = async (): Promise<void> => {
      const indexes = (await held()).filter((key) => key.startsWith('foreign:keys:'));
      expect(indexes).toHaveLength(12);
      await Promise.all(indexes.map((index) => redis.call('set', [index, 'a string'])));
    };
    const store = (): Promise<unknown> => Promise.all(names.map((key) => tier.set(key, VALUE, of)));

    await store();
    await overwrite();
    await store();
    await tier.removeBefore({ ...of, generation: 2 });
    expect(await held()).toEqual([]);

    await store();
    await overwrite();
    await tier.removeBefore({ ...of, generation: 2 });
    expect((await held()).toSorted()).toEqual(names.toSorted());
    await Promise.all(names.map((key) => tier.remove(key)));
  });

  it('takes the value of another key for absent', async () => {
    await tier.set('other:1:a', VALUE, { group: 'other', generation: 1 });
    await redis.call('set', ['other:1:b', (await redis.get('other:1:a')) ?? '']);

    expect(await tier.get('other:1:b')).toBeUndefined();
  });

  it('takes an error of a node for an answer: its breaker stays closed', async () => {
    const key = 'refused:1:a';
    await redis.call('sadd', [key, 'x']);

    await expect(redis.get(key)).rejects.toThrow('WRONGTYPE');
    expect(new Set([...redis.known].map(({ state }) => state))).toEqual(new Set(['closed']));
  });

  it('that refuses this process, is skipped: its answer is of no use', async () => {
    const client = await open(PATIENT_MS);
    const key = 'denied:1:a';
    const master = await cluster().masterOf(key);
    await cluster().on(master, (node) => node.call('acl', 'setuser', 'default', '-get'));
    try {
      await expect(client.get(key)).rejects.toThrow('NOPERM');
      expect([...client.known].map(({ state }) => state)).toEqual(['open']);
    } finally {
      await cluster().on(master, (node) => node.call('acl', 'setuser', 'default', '+get'));
      client.close();
    }
  });

  it('fails to claim a cold key while its slot moves, and its breakers stay closed', async () => {
    const key = 'moving:1:a';
    const [slot, from] = [await cluster().slotOf(key), await cluster().masterOf(key)];
    const to = masters(cluster()).find(({ port }) => port !== from.port) ?? from;
    const setSlot = (node: RedisNode, ...how: readonly string[]): Promise<unknown> =>
      cluster().on(node, (each) => each.call('cluster', 'setslot', slot, ...how));
    const idOf = (node: RedisNode): Promise<string> => cluster().on(node, (each) => each.cluster('MYID'));
    await setSlot(to, 'importing', await idOf(from));
    await setSlot(from, 'migrating', await idOf(to));
    try {
      await expect(tier.claim(key, 'a')).rejects.toThrow('Too many Cluster redirections');
      expect(new Set([...redis.known].map(({ state }) => state))).toEqual(new Set(['closed']));
    } finally {
      await setSlot(from, 'stable');
      await setSlot(to, 'stable');
    }
  });

  it('counts hits and misses for each node', async () => {
    await tier.set('counted:1:a', VALUE, { group: 'counted', generation: 1 });
    const count = (): readonly number[] => {
      const nodes = [...redis.known];
      return [nodes.reduce((sum, { hits }) => sum + hits, 0), nodes.reduce((sum, { misses }) => sum + misses, 0)];
    };
    const [hits = 0, misses = 0] = count();
    await Promise.all([tier.get('counted:1:a'), tier.get('counted:1:b')]);

    expect(count()).toEqual([hits + 1, misses + 1]);
  });

  describe('whose node is held by SIGSTOP', () => {
    it('fails within its deadline, then skips the node, and finds the one that takes over', async () => {
      const client = await open(100);
      const key = 'held:1:a';
      const master = await cluster().masterOf(key);
      await cluster().on(master, async (node) => {
        await node.set(key, 'x');
        await node.wait(1, 0);
      });
      cluster().stop(master);
      try {
        await expect(client.get(key)).rejects.toThrow(`Redis node 127.0.0.1:${String(master.port)} did not answer`);
        expect([...client.known].map(({ state }) => state)).toContain('open');
        await eventually(async () => expect(await client.get(key)).toEqual(Buffer.from('x')), { withinMs: WITHIN_MS });
      } finally {
        cluster().continue(master);
        client.close();
      }
      expect(log.warnings).toContain(`Redis node 127.0.0.1:${String(master.port)} is skipped until it answers`);
    });
  });

  it.each([
    ['no', undefined, 'asks for a password'],
    ['a wrong', 'wrong', 'refuses the password'],
  ])('given %s password, says so in one line that names the setting', async (_, password, problem) => {
    const printed = jest.spyOn(console, 'warn').mockReturnValue();
    const said = new RecordingLog();
    const client = await RedisClient.open(
      { nodes: cluster().nodes, password },
      { log: said, nowMs: () => 0, meanwhile: () => 'counting alone' },
    );
    await eventually(
      () => {
        expect(said.entries).toEqual([
          {
            level: 'warn',
            message: `the Redis Cluster ${problem}: set REDIS_PASSWORD to the password of the cluster`,
            details: { error: expect.stringMatching(/NOAUTH|WRONGPASS/), meanwhile: 'counting alone' },
          },
        ]);
      },
      { withinMs: WITHIN_MS },
    );
    client.close();
    expect(printed.mock.calls).toEqual([]);
    printed.mockRestore();
  });

  it('given a password that no node asks for, does without a line of its own or of the driver', async () => {
    const printed = ['log', 'warn', 'error'].map((name) => jest.spyOn(console, name as 'warn').mockReturnValue());
    const password = (required: string): Promise<unknown> =>
      Promise.all(
        cluster().nodes.map((node) => cluster().on(node, (each) => each.config('SET', 'requirepass', required))),
      );
    await cluster().waitUntilWhole();
    await password('');
    const said = new RecordingLog();
    const client = await RedisClient.open(cluster(), { log: said, nowMs: monotonicMs }, PATIENT_MS);
    try {
      await eventually(async () => expect(await client.answers()).toBe(true), { withinMs: WITHIN_MS });
      expect([said.entries, ...printed.map(({ mock }) => mock.calls)]).toEqual([[], [], [], []]);
    } finally {
      client.close();
      await password(cluster().password);
      jest.restoreAllMocks();
    }
  });

  it('without any node, is not available, and is again when they are back', async () => {
    const [client, idle] = await Promise.all([open(), open()]);
    expect(await idle.answers()).toBe(true);
    const over = new RedisCacheTier(client, systemRandom);
    const [key, of] = ['back:1:a', { group: 'back', generation: 1 }];
    await Promise.all(cluster().nodes.map((node) => cluster().kill(node)));
    expect([await idle.answers(), [...idle.known].length > 0]).toEqual([false, true]);

    await eventually(
      async () => {
        await over.get(key).catch(() => undefined);
        expect(over.isAvailable).toBe(false);
      },
      { withinMs: WITHIN_MS },
    );
    await expect(over.get(key)).rejects.toThrow(NodeSkipped);
    // One node alone answers, but only that the cluster is down.
    const [first, ...others] = cluster().nodes;
    await cluster().restart(first!);
    const said = new RecordingLog();
    let minutes = 0;
    const early = await RedisClient.open(cluster(), { log: said, nowMs: () => 60_000 * (minutes += 1) });
    await eventually(() => expect(said.warnings).toEqual(['the Redis Cluster cannot be reached']), {
      withinMs: WITHIN_MS,
    });
    early.close();
    await Promise.all(others.map((node) => cluster().restart(node)));
    await eventually(
      async () => {
        await over.set(key, VALUE, of);
        expect(await over.get(key)).toEqual(VALUE);
      },
      { withinMs: WITHIN_MS, everyMs: 50 },
    );
    await eventually(async () => expect(await idle.answers()).toBe(true), { withinMs: WITHIN_MS, everyMs: 50 });
    client.close();
    idle.close();
  }, 120_000);
});

describe('a client of a Redis Cluster that is not there', () => {
  it('rejects without a call, says so once, and closes', async () => {
    const log = new RecordingLog();
    const access = { nodes: [{ host: '127.0.0.1', port: 1 }], password: undefined };
    const client = await RedisClient.open(access, { log, nowMs: monotonicMs });

    await expect(client.get('key')).rejects.toThrow(NodeSkipped);
    await eventually(() => {
      expect(log.warnings).toEqual(['the Redis Cluster cannot be reached']);
    });
    client.close();
  });
});
