import { crc32 } from 'node:zlib';
import type { Random } from '../../kernel/index.js';
import type { CacheGeneration, Claim, SharedCacheTier } from '../cache/index.js';
import { SLOTS } from './node-view.js';
import type { RedisClient } from './redis-client.js';

/** Values expire after ten to twelve minutes, so that those of one moment do not expire in one moment. */
const EXPIRES_AFTER_MS = 600_000;
const EXPIRES_AFTER_MAX_MS = 720_000;
/** Outlives the values that it lists. */
const INDEX_EXPIRES_AFTER_MS = 2 * EXPIRES_AFTER_MAX_MS;
const LEASE_MS = 1_000;
const CRC_BYTES = 4;
/** The index of a group has so many parts, each of a range of slots, so that a part mostly lies on the node of its values. */
const PARTS = 12;
/** Bounds what a reader of ever new pages stores. */
const MAX_KEYS_PER_PART = 10_000;
const KEYS_PER_TURN = 200;

/** KEYS: value, lease. ARGV: owner, milliseconds. Returns the value, 1 when the caller has the lease, or 0. */
const CLAIM = `local value = redis.call('GET', KEYS[1])
if value then return value end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0`;
/** KEYS: value, lease. ARGV: value, milliseconds, owner. */
const STORE = `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('DEL', KEYS[2]) end`;
/** KEYS: lease. ARGV: owner. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;
/** Deletes an index of a wrong type, which a stranger wrote; the values that the index listed expire. */
const HEAL_INDEX = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
`;
/**
 * KEYS: index. ARGV: generation, key, limit, milliseconds. Makes room for a new key in a full index: returns the key that it
 * dropped, of any age, because pages that are read often would be the oldest.
 */
const REGISTER = `${HEAL_INDEX}local dropped = false
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) and not redis.call('ZSCORE', KEYS[1], ARGV[2]) then
  dropped = redis.call('ZRANDMEMBER', KEYS[1])
  redis.call('ZREM', KEYS[1], dropped)
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return dropped`;
/** KEYS: index. ARGV: generation, limit. Returns keys of earlier generations. */
const FORMER = `${HEAL_INDEX}return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])`;

/**
 * The tier of a cache in a Redis Cluster. A key has no braces, so keys spread over all slots; its lease `{key}:lease` hashes to the
 * same slot. A value begins with its checksum. Before a value is set, its key is registered in an index of its group, from which
 * the keys of former generations are removed one by one, wherever their slots are: no scan, and no command over slots.
 */
export class RedisCacheTier implements SharedCacheTier {
  readonly name = 'redis';
  private readonly tags = new Map<number, string>();

  constructor(
    private readonly redis: RedisClient,
    private readonly random: Random,
    private readonly maxKeysPerPart = MAX_KEYS_PER_PART,
  ) {
    // For each part, a hash tag whose slot is in the range of the part.
    for (let tag = 0; this.tags.size < PARTS; tag += 1) {
      const part = this.partOf(String(tag));
      if (!this.tags.has(part)) this.tags.set(part, String(tag));
    }
  }

  get isAvailable(): boolean {
    return this.redis.isReady;
  }

  async get(key: string): Promise<Buffer | undefined> {
    const stored = await this.redis.get(key);
    return stored && opened(key, stored);
  }

  async claim(key: string, owner: string): Promise<Claim> {
    const reply = await this.redis.call('eval', [CLAIM, 2, key, leaseOf(key), owner, LEASE_MS]);
    if (Buffer.isBuffer(reply)) return opened(key, reply) ?? 'load';
    return reply === 1 ? 'load' : 'wait';
  }

  async set(key: string, value: Buffer, { group, generation }: CacheGeneration, owner = ''): Promise<void> {
    const index = this.indexOf(group, this.partOf(key));
    const registering = [REGISTER, 1, index, generation, key, this.maxKeysPerPart, INDEX_EXPIRES_AFTER_MS];
    const dropped = await this.redis.call('eval', registering);
    if (Buffer.isBuffer(dropped)) await this.redis.call('unlink', [dropped]);
    await this.redis.call('eval', [STORE, 2, key, leaseOf(key), sealed(key, value), this.expiryMs(), owner]);
  }

  async release(key: string, owner: string): Promise<void> {
    await this.redis.call('eval', [RELEASE, 1, leaseOf(key), owner]);
  }

  async remove(key: string): Promise<void> {
    await this.redis.call('unlink', [key]);
  }

  async removeBefore({ group, generation }: CacheGeneration): Promise<void> {
    const parts = Array.from({ length: PARTS }, (_, part) => this.removeListed(this.indexOf(group, part), generation));
    const failed = (await Promise.allSettled(parts)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** A key leaves the index only after its value is gone. Rejects when some are left. */
  private async removeListed(index: string, generation: number): Promise<void> {
    for (;;) {
      const keys = (await this.redis.call('eval', [FORMER, 1, index, generation, KEYS_PER_TURN])) as Buffer[];
      if (keys.length === 0) return;
      await Promise.all(keys.map((key) => this.redis.call('unlink', [key])));
      await this.redis.call('zrem', [index, ...keys]);
    }
  }

  private partOf(key: string): number {
    return Math.floor((this.redis.slotOf(key) * PARTS) / SLOTS);
  }

  private indexOf(group: string, part: number): string {
    return `${group}:keys:{${this.tags.get(part) ?? ''}}`;
  }

  private expiryMs(): number {
    const [byte = 0] = this.random.bytes(1);
    return EXPIRES_AFTER_MS + Math.round(((EXPIRES_AFTER_MAX_MS - EXPIRES_AFTER_MS) * byte) / 255);
  }
}

function sealed(key: string, value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(CRC_BYTES + value.length);
  bytes.writeUInt32BE(checksum(key, value));
  value.copy(bytes, CRC_BYTES);
  return bytes;
}

/** Undefined when the bytes are damaged, or are those of another key. */
function opened(key: string, bytes: Buffer): Buffer | undefined {
  if (bytes.length < CRC_BYTES) return undefined;
  const value = bytes.subarray(CRC_BYTES);
  return bytes.readUInt32BE() === checksum(key, value) ? value : undefined;
}

function checksum(key: string, value: Buffer): number {
  return crc32(value, crc32(key));
}

function leaseOf(key: string): string {
  return `{${key}}:lease`;
}
