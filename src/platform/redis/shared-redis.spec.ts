import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/support/eventually.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { monotonicMs, systemTimers } from '../process/index.js';
import type { RedisClient } from './redis-client.js';
import { SharedRedis } from './shared-redis.js';

describe('the Redis Cluster of a process', () => {
  let log: RecordingLog;
  let redis: SharedRedis;
  let observed: number;

  beforeEach(() => {
    log = new RecordingLog();
    observed = 0;
    const observe = (): undefined => void (observed += 1);
    const location = { nodes: [{ host: '127.0.0.1', port: 1 }], directory: '' };
    redis = new SharedRedis(location, { log, nowMs: monotonicMs, timers: systemTimers, observe });
  });

  afterEach(() => {
    redis.close();
  });

  it('is shared by all parts over one client, and the log says what each does while no node answers', async () => {
    const clients: RedisClient[] = [];
    const opened = (client: RedisClient): void => void clients.push(client);
    expect(await redis.state()).toBe('off');
    redis.use({ meanwhile: 'this part waits' });
    redis.use({ meanwhile: 'that part works alone', opened });
    await eventually(() => {
      expect(log.entries.map(({ details }) => details['meanwhile'])).toEqual([
        'this part waits; that part works alone',
      ]);
    });
    redis.use({ meanwhile: 'a late part does nothing', opened });

    expect([clients.length, new Set(clients).size, observed]).toEqual([2, 1, 1]);
    expect([await redis.state(), redis.isReady]).toEqual(['unavailable', false]);
    await expect(redis.call('get', ['key'])).rejects.toThrow('no Redis node serves');
  });

  it('is off, and refuses calls, before a part uses it and after it was closed', async () => {
    await expect(redis.call('get', ['key'])).rejects.toThrow('no Redis Cluster was found');
    redis.close();
    redis.use({ meanwhile: 'too late' });

    expect([await redis.state(), log.entries]).toEqual(['off', []]);
  });
});
