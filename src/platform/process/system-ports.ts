import { randomBytes, randomFillSync } from 'node:crypto';
import type { Clock, Microtask, NextTurn, Random, Timers } from '../../kernel/index.js';

export const systemClock: Clock = { nowMs: () => Date.now() };

/** Monotonic, whatever happens to the clock; for durations, not for dates. */
export const monotonicMs = (): number => performance.now();

const POOL_BYTES = 4_096;
const MAX_POOLED_BYTES = 16;
const pool = Buffer.alloc(POOL_BYTES);
let poolUsed = POOL_BYTES;

/** Small amounts, as for ids, come from a pool: one system call per id would be a tenth of the cost of a write. */
export const systemRandom: Random = {
  bytes: (length) => {
    if (length > MAX_POOLED_BYTES) return randomBytes(length);
    if (poolUsed + length > POOL_BYTES) {
      randomFillSync(pool);
      poolUsed = 0;
    }
    poolUsed += length;
    return Uint8Array.prototype.slice.call(pool, poolUsed - length, poolUsed);
  },
};

export const nextTurn: NextTurn = (task) => {
  setImmediate(task);
};

export const microtask: Microtask = (task) => {
  queueMicrotask(task);
};

/** These timers do not keep the process alive. */
export const systemTimers: Timers = {
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
