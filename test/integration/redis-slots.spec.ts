import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { monotonicMs } from '../../src/platform/process/index.js';
import { RedisClient } from '../../src/platform/redis/index.js';
import { eventually } from '../support/eventually.js';
import { RecordingLog } from '../support/recording-log.js';
import { describeOnRedis, type RedisNode } from '../support/redis-cluster.js';
import { RedisShop } from '../support/redis-shop.js';

const SLOTS_MOVED = 2_000;
const KEYS = Array.from({ length: 1_000 }, (_, index) => `key ${String(index)}`);
/** No command is to be late because this machine is busy. */
const PATIENT_MS = 20_000;
const TEST_TIMEOUT_MS = 600_000;

describeOnRedis('while slots of the Redis Cluster move to another master', (redis) => {
  /** `redis-cli --cluster reshard`, of the first slots to the master of another slot. */
  const reshard = async (toMasterOf: number): Promise<void> => {
    const [from, to] = [await redis().masterOfSlot(0), await redis().masterOfSlot(toMasterOf)];
    const idOf = (node: RedisNode): Promise<string> => redis().on(node, (connection) => connection.cluster('MYID'));
    const at = `${from.host}:${String(from.port)}`;
    const options = ['--cluster-from', await idOf(from), '--cluster-to', await idOf(to)];
    await promisify(execFile)(
      'redis-cli',
      ['--cluster', 'reshard', at, ...options, '--cluster-slots', String(SLOTS_MOVED), '--cluster-yes'],
      { env: { ...process.env, REDISCLI_AUTH: redis().password }, maxBuffer: 64 * 1_024 * 1_024 },
    );
    expect(await redis().masterOfSlot(0)).toEqual(to);
  };

  it(
    'under a race for 200 books: no request fails, and no reader sees an older version',
    async () => {
      const shop = await RedisShop.start(redis());
      try {
        await shop.race(async (progress) => {
          await progress.hits(50);
          await reshard(16_383);
          await progress.hits(50);
        });
      } finally {
        await shop.end();
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'the client finds every key that exists',
    async () => {
      const client = await RedisClient.open(redis(), { log: new RecordingLog(), nowMs: monotonicMs }, PATIENT_MS);
      await eventually(
        () => {
          expect(client.isReady).toBe(true);
        },
        { withinMs: PATIENT_MS },
      );
      for (const key of KEYS) await client.call('set', [key, key]);
      let isMoving = true;
      let passes = 0;
      const missed: string[] = [];
      const look = async (): Promise<void> => {
        while (isMoving || passes === 0) {
          for (const key of KEYS) if ((await client.get(key))?.toString() !== key) missed.push(key);
          passes += 1;
        }
      };
      await Promise.all([look(), reshard(8_191).finally(() => (isMoving = false))]).finally(() => {
        client.close();
      });

      expect([missed, passes > 1]).toEqual([[], true]);
    },
    TEST_TIMEOUT_MS,
  );
});
