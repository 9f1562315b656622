import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../kernel/index.js';
import {
  type FileLayout,
  type Presence,
  presenceOf,
  type RunNote,
  SUPERVISOR_LOCK,
} from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';

const LOOK_EVERY_MS = 50;
const WAIT_WITHIN_MS = 60_000;
const REPLICAS_LOCK_WITHIN_MS = 2_000;

export type Claim =
  /** This process supervises the directories alone for as long as it keeps `locks`, of which the first is the data directory's. */
  | { readonly kind: 'supervise'; readonly locks: readonly [DataDirectoryLock, ...DataDirectoryLock[]] }
  | { readonly kind: 'running'; readonly app: RunNote }
  /** Another supervisor is alive, but its app has not answered for a long time. */
  | { readonly kind: 'stuck' }
  /** The supervisor of another data directory uses the same replicas' directory. */
  | { readonly kind: 'replicas-taken' };

export function decideClaim(
  holdsLock: boolean,
  app: Presence['state'],
  waitedMs: number,
): 'supervise' | 'running' | 'wait' | 'stuck' {
  if (holdsLock) return 'supervise';
  if (app === 'answers') return 'running';
  return waitedMs < WAIT_WITHIN_MS ? 'wait' : 'stuck';
}

/**
 * Makes this process the supervisor of the data directory, and of the replicas' directory when it runs replicas, or finds another
 * supervisor and its app. Waits for a concurrent `npm start` to get its app ready or end, and calls `onWait` once when that takes
 * long.
 */
export async function claim(layout: FileLayout, runsReplicas: boolean, onWait: () => void): Promise<Claim> {
  const startedMs = performance.now();
  let lock: DataDirectoryLock | undefined;
  for (let looks = 1; ; looks += 1) {
    lock ??= tryLock(layout.dataDirectory);
    const app = await presenceOf(layout.app.runFile);
    const decision = decideClaim(lock !== undefined, app.state, performance.now() - startedMs);
    if (decision === 'running' && app.state === 'answers') return { kind: 'running', app };
    if (decision === 'supervise' && lock) {
      if (!runsReplicas) return { kind: 'supervise', locks: [lock] };
      const replicasLock = await lockWithin(layout.replicasDirectory, REPLICAS_LOCK_WITHIN_MS);
      if (replicasLock) return { kind: 'supervise', locks: [lock, replicasLock] };
      lock.release();
      return { kind: 'replicas-taken' };
    }
    if (decision === 'stuck') return { kind: 'stuck' };
    if (looks === 1) onWait();
    await delay(LOOK_EVERY_MS);
  }
}

/** A supervisor that ends releases its locks one after the other. */
async function lockWithin(directory: string, withinMs: number): Promise<DataDirectoryLock | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const lock = tryLock(directory);
    if (lock || performance.now() >= deadline) return lock;
    await delay(LOOK_EVERY_MS);
  }
}

function tryLock(directory: string): DataDirectoryLock | undefined {
  try {
    return DataDirectoryLock.acquire(directory, SUPERVISOR_LOCK);
  } catch (error) {
    if (isAppError(error, 'data-directory-locked')) return undefined;
    throw error;
  }
}
