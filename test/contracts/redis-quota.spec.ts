import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type QuotaUsage, RequestLimit } from '../../src/platform/http/request-limit.js';
import { RedisClient, RedisQuota } from '../../src/platform/redis/index.js';
import { eventually } from '../support/eventually.js';
import { RecordingLog } from '../support/recording-log.js';
import { describeOnRedis } from '../support/redis-cluster.js';

const LIMIT = 30;
const WINDOW_MS = 60_000;
const HOUR_MS = 3_600_000;
/** No call is late because this machine is slow. */
const PATIENT_MS = 60_000;
const SECRET = Buffer.from('a secret for tests only');

describeOnRedis('a quota in a Redis Cluster', (cluster) => {
  let clients: RedisClient[];
  let quotas: RedisQuota[];
  let callers = 0;
  let caller: string;

  beforeEach(async () => {
    const access = { nodes: cluster().nodes, password: cluster().password };
    const ports = { log: new RecordingLog(), nowMs: () => performance.now() };
    clients = await Promise.all([1, 2].map(() => RedisClient.open(access, ports, PATIENT_MS)));
    await eventually(() => expect(clients.every(({ isReady }) => isReady)).toBe(true), { withinMs: PATIENT_MS });
    quotas = clients.map((client) => new RedisQuota(client, () => SECRET));
    caller = `from 10.0.0.${String((callers += 1))}`;
  });

  afterEach(() => {
    for (const client of clients) client.close();
  });

  it('lets as many requests through over two processes as the limit says, and no more', async () => {
    const limits = quotas.map((quota) => ({ quota, limit: new RequestLimit(LIMIT, () => performance.now()) }));
    const ask = async (index: number): Promise<QuotaUsage> => {
      const { quota, limit } = limits[index % 2]!;
      return limit.countShared(quota, caller, 1);
    };
    const answers = await Promise.all(Array.from({ length: 2 * LIMIT }, (_, index) => ask(index)));
    expect(answers.filter(({ isOver }) => !isOver)).toHaveLength(LIMIT);
    for (const { resetSeconds, limit } of answers) {
      expect(resetSeconds).toBeGreaterThanOrEqual(1);
      expect([resetSeconds <= WINDOW_MS / 1_000, limit]).toEqual([true, LIMIT]);
    }
  });

  it('counts callers and installations apart, and a heavier request as often as it weighs', async () => {
    const [one, other] = quotas as [RedisQuota, RedisQuota];
    expect(await one.add(caller, 10, LIMIT, WINDOW_MS)).toMatchObject({ count: 10, isOver: false });
    expect(await other.add(caller, 1, LIMIT, WINDOW_MS)).toMatchObject({ count: 11 });
    expect(await other.add(`${caller}0`, 1, LIMIT, WINDOW_MS)).toMatchObject({ count: 1 });
    const elsewhere = new RedisQuota(clients[0]!, () => Buffer.from('another secret'));
    expect(await elsewhere.add(caller, 1, LIMIT, WINDOW_MS)).toMatchObject({ count: 1 });
  });

  it('ends a window in time although the clock of its node was set back', async () => {
    const [quota] = quotas as [RedisQuota];
    await quota.add(caller, LIMIT, LIMIT, WINDOW_MS);
    const key = quota.keyOf(caller);
    const master = await cluster().masterOf(key);
    // To the node, a clock that is set back by an hour is a key that expires an hour later.
    await cluster().on(master, (connection) => connection.pexpire(key, HOUR_MS));
    const { isOver, endsInMs } = await quota.add(caller, 1, LIMIT, WINDOW_MS);
    expect([isOver, endsInMs <= WINDOW_MS]).toEqual([true, true]);
    const left = await cluster().on(master, (connection) => connection.pttl(key));
    expect(left).toBeLessThanOrEqual(WINDOW_MS);
  });

  it.each([
    ['a text', ['set', 'no count']],
    ['a number below zero', ['set', '-1000000']],
    ['a fraction', ['set', '2.5']],
    ['a number with a zero before it', ['set', '05']],
    ['a number beyond every limit', ['set', '123456789012345']],
    ['a list', ['rpush', '1']],
  ])('given a key that holds %s, begins a new window with a count from one', async (_, [command = '', value = '']) => {
    const [quota] = quotas as [RedisQuota];
    const key = quota.keyOf(caller);
    const master = await cluster().masterOf(key);
    await cluster().on(master, (connection) => connection.call(command, key, value));
    expect(await quota.add(caller, 1, LIMIT, WINDOW_MS)).toEqual({ count: 1, isOver: false, endsInMs: WINDOW_MS });
    expect(await quota.add(caller, 1, LIMIT, WINDOW_MS)).toMatchObject({ count: 2, isOver: false });
  });

  it('keeps no name or address of a caller in Redis', async () => {
    const [quota] = quotas as [RedisQuota];
    await quota.add(caller, 1, LIMIT, WINDOW_MS);
    const master = await cluster().masterOf(quota.keyOf(caller));
    const keys = await cluster().on(master, (connection) => connection.keys('*'));
    expect(keys).toContain(quota.keyOf(caller));
    expect(keys.join()).not.toContain('10.0.0');
  });
});
