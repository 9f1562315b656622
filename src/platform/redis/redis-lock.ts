import type { Random } from '../../kernel/index.js';
import type { RedisClient } from './redis-client.js';

const TOKEN_BYTES = 16;
/** Left for the difference between this machine's clock and those of the nodes, and for the last thing that the holder does. */
const MARGIN_SHARE = 0.1;

/** Removes the key if it still holds the token. KEYS: the key. ARGV: the token. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

export interface RedisLockPorts {
  readonly random: Random;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** `unavailable`: fewer than a majority of the masters answered, so nothing is known about other holders. */
export type LockOutcome = HeldLock | 'held-elsewhere' | 'unavailable';

export interface HeldLock {
  /** Whether nobody else can hold the lock yet, by this process's own clock alone. */
  isHeld(): boolean;
  /** Asks every master to forget the lock, also those that did not answer. Never rejects. */
  release(): Promise<void>;
}

type Redis = Pick<RedisClient, 'call' | 'keyOnEachMaster'>;

/**
 * A lock over the masters of a Redis Cluster, for work that should not be done twice at a time: one key on each master, and the process
 * that sets a majority of them has the lock (Redlock, described in the documentation of Redis).
 *
 * Invariant: nothing relies on this lock for its correctness. A holder that sleeps, a clock that runs fast, or a takeover that loses a
 * key can give it to two processes at once, so each write of the guarded work must check a fencing token from SQL in its own
 * transaction.
 *
 * The masters are looked up at each attempt, because roles and slots move. There is no renewal: a rejected command may have been
 * executed, or not, so the outcome of a renewal says nothing.
 */
export class RedisLock {
  constructor(
    private readonly redis: Redis,
    private readonly ports: RedisLockPorts,
    private readonly options: { readonly name: string; readonly ttlMs: number },
  ) {}

  /** Makes one attempt. Never rejects. */
  async acquire(): Promise<LockOutcome> {
    const { random, nowMs } = this.ports;
    const { name, ttlMs } = this.options;
    const keys = this.redis.keyOnEachMaster(`lock:${name}`);
    const majority = Math.floor(keys.length / 2) + 1;
    const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url');
    // From before the first node can have set its key: the keys live longer than the holder believes.
    const untilMs = nowMs() + ttlMs * (1 - MARGIN_SHARE);
    const answers = await Promise.all(keys.map((key) => this.set(key, token)));
    const granted = answers.filter((answer) => answer === 'granted').length;
    const lock: HeldLock = {
      isHeld: () => nowMs() < untilMs,
      release: async () => {
        await Promise.all(keys.map((key) => this.redis.call('eval', [RELEASE, 1, key, token]).catch(() => undefined)));
      },
    };
    if (keys.length > 0 && granted >= majority && lock.isHeld()) return lock;
    await lock.release();
    return answers.filter((answer) => answer !== undefined).length >= majority ? 'held-elsewhere' : 'unavailable';
  }

  /** Undefined: nothing is known, the node may have set the key or set it later. */
  private async set(key: string, token: string): Promise<'granted' | 'refused' | undefined> {
    try {
      const reply = await this.redis.call('set', [key, token, 'PX', this.options.ttlMs, 'NX']);
      return reply === null ? 'refused' : 'granted';
    } catch {
      return undefined;
    }
  }
}
