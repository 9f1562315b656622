import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { monotonicMs, systemRandom } from '../../src/platform/process/index.js';
import { RedisClient, RedisLock } from '../../src/platform/redis/index.js';
import { eventually } from '../support/eventually.js';
import { RecordingLog } from '../support/recording-log.js';
import { describeOnRedis } from '../support/redis-cluster.js';

/** No call is late, and no lock expires, because this machine is slow. */
const PATIENT_MS = 60_000;

describeOnRedis('a lock over the masters of a Redis Cluster', (cluster) => {
  let clients: RedisClient[];
  let locks: RedisLock[];

  beforeEach(async () => {
    const access = { nodes: cluster().nodes, password: cluster().password };
    const ports = { log: new RecordingLog(), nowMs: monotonicMs };
    clients = await Promise.all([1, 2].map(() => RedisClient.open(access, ports, PATIENT_MS)));
    await eventually(() => expect(clients.every(({ isReady }) => isReady)).toBe(true), { withinMs: PATIENT_MS });
    const own = { random: systemRandom, nowMs: monotonicMs };
    locks = clients.map((client) => new RedisLock(client, own, { name: 'test', ttlMs: 10 * PATIENT_MS }));
  });

  afterEach(() => {
    for (const client of clients) client.close();
  });

  it('has one key on each master, and one holder at a time', async () => {
    const keys = clients[0]!.keyOnEachMaster('lock:test');
    const masters = await Promise.all(keys.map((key) => cluster().masterOf(key)));
    expect(new Set(masters.map(({ port }) => port)).size).toBe(3);

    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, index) => locks[index % 2]!.acquire()));
    const held = outcomes.filter((outcome) => typeof outcome !== 'string');
    expect(held.length).toBeLessThanOrEqual(1);

    for (const lock of held) await lock.release();
    const alone = await locks[1]!.acquire();
    expect(alone).toHaveProperty('release');
    expect(await locks[0]!.acquire()).toBe('held-elsewhere');
    if (typeof alone !== 'string') await alone.release();
    const left = await Promise.all(
      masters.map((master, index) => cluster().on(master, (connection) => connection.exists(keys[index]!))),
    );
    expect(left).toEqual([0, 0, 0]);
  });

  it('given another master for a third of the slots, finds a key on each master again', async () => {
    const [key = ''] = clients[0]!.keyOnEachMaster('lock:test');
    const master = await cluster().masterOf(key);
    const replica = await cluster().replicaOf(master);
    await cluster().waitForLinkUp(replica);
    await cluster().on(replica, (connection) => connection.cluster('FAILOVER'));
    await cluster().waitForRoles([
      [replica, 'master'],
      [master, 'replica'],
    ]);

    await eventually(
      async () => {
        const lock = await locks[0]!.acquire();
        if (typeof lock === 'string') throw new Error(lock);
        expect(await locks[1]!.acquire()).toBe('held-elsewhere');
        await lock.release();
      },
      { withinMs: PATIENT_MS },
    );
  });
});
