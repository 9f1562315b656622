import { monotonicMs, systemRandom } from '../../platform/process/index.js';
import { RedisLock, type SharedRedis } from '../../platform/redis/index.js';
import type { DrainGuard } from './check-out.js';

/** Longer than a drain takes; a drain that takes longer goes on, and another process may begin one. */
const LOCK_TTL_MS = 60_000;

/**
 * Lets one process at a time drain the outboxes, where a Redis Cluster runs: an app that was stopped and woke up leaves the work to
 * its successor. Nothing depends on the lock. What a drain writes is fenced by the epoch row of each file, which every commit reads
 * in its own transaction and which a successor has raised; and a step that two processes deliver has one effect.
 */
export function drainGuard(redis: SharedRedis, databaseId: string): DrainGuard {
  redis.use({ meanwhile: 'the outboxes of checkouts are drained without a lock' });
  const ports = { random: systemRandom, nowMs: monotonicMs };
  const lock = new RedisLock(redis, ports, { name: `drain:${databaseId}`, ttlMs: LOCK_TTL_MS });
  return async (drain) => {
    const outcome = await lock.acquire();
    if (outcome === 'held-elsewhere') return;
    try {
      await drain();
    } finally {
      if (outcome !== 'unavailable') await outcome.release();
    }
  };
}
