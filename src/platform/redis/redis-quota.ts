import { createHmac } from 'node:crypto';
import type { SharedQuota, SharedUsage } from '../http/index.js';
import type { RedisClient } from './redis-client.js';
import type { RedisUse } from './shared-redis.js';

export const QUOTA_USE: RedisUse = { meanwhile: 'this process counts requests alone' };

const KEY_PREFIX = 'quota:';

/**
 * KEYS: the count of one caller. ARGV: weight, limit, milliseconds of a window. Returns the count, whether the caller had reached the
 * limit, and the milliseconds that are left. A window longer than a window means that the node's clock was set back. A key that holds
 * no count up to 999,999,999,999 was written by a stranger: the script removes it, so a new window begins.
 */
const ADD = `local stored = redis.pcall('GET', KEYS[1])
local count = type(stored) == 'string' and #stored <= 12 and string.match(stored, '^[1-9]%d*$') and tonumber(stored)
if stored and not count then redis.call('DEL', KEYS[1]) end
count = count or 0
local isOver = count >= tonumber(ARGV[2])
if not isOver then count = redis.call('INCRBY', KEYS[1], ARGV[1]) end
local left = redis.call('PTTL', KEYS[1])
if left < 0 or left > tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  left = tonumber(ARGV[3])
end
return {count, isOver and 1 or 0, left}`;

/**
 * Counts requests in a Redis Cluster: one key per caller, which expires with the caller's window by the time of its node, so no clock
 * of a process matters. A key tells nothing about its caller, and other installations on the same cluster have other keys.
 */
export class RedisQuota implements SharedQuota {
  constructor(
    private readonly redis: Pick<RedisClient, 'isReady' | 'call'>,
    /** Undefined while this process does not know it. */
    private readonly secret: () => Uint8Array | undefined,
  ) {}

  get isAvailable(): boolean {
    return this.redis.isReady && this.secret() !== undefined;
  }

  async add(caller: string, weight: number, limit: number, windowMs: number): Promise<SharedUsage> {
    const reply = await this.redis.call('eval', [ADD, 1, this.keyOf(caller), weight, limit, windowMs]);
    const [count = 0, isOver = 0, endsInMs = windowMs] = reply as readonly number[];
    return { count, isOver: isOver === 1, endsInMs };
  }

  /** Throws while the secret is not known. */
  keyOf(caller: string): string {
    const secret = this.secret();
    if (secret === undefined) throw new Error('this process does not know the cluster secret yet');
    return KEY_PREFIX + createHmac('sha256', secret).update(caller).digest('base64url');
  }
}
