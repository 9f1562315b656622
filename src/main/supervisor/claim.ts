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
  /** This process supervises the directories alone, for as long as it keeps `locks`. */
  | { readonly kind: 'supervise'; readonly locks: readonly DataDirectoryLock[] }
  /** Another supervisor watches this app. */
  | { readonly kind: 'running'; readonly app: RunNote }
  /** Another supervisor lives, and its app does not answer for a long time. */
  | { readonly kind: 'stuck' }
  /** The supervisor of another data directory has its replicas in the same directory. */
  | { readonly kind: 'replicas-taken' };

/** Decides what `npm start` does next, from its lock, the state of the app and the time that it waited. */
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
 * Makes this process the supervisor of the data directory, and of the replicas' directory where it runs some, or finds another
 * supervisor and its app. It waits for another `npm start` that is under way, which gets its app ready or ends, and calls
 * `onWait` once when that takes a while.
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
