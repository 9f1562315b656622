import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../kernel/index.js';
import {
  APP_PROGRAM,
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
  /** This process is the one supervisor of the directories for as long as it keeps `locks`. */
  | { readonly kind: 'supervise'; readonly locks: readonly DataDirectoryLock[] }
  /** Another supervisor watches this app. */
  | { readonly kind: 'running'; readonly app: RunNote }
  /** Another supervisor lives, and its app did not answer for a long time. */
  | { readonly kind: 'stuck' }
  /** The supervisor of another data directory has its replicas in the same place. */
  | { readonly kind: 'replicas-taken' };

/** What `npm start` does, by whether it holds the supervisors' lock, what the app does, and its patience. */
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
 * Makes this process the supervisor of the data directory, and of the replicas' where it runs some, or finds another
 * supervisor and its app. Another `npm start` that is under way is waited for: it gets its app ready or leaves. `onWait`
 * is called once when that takes a while.
 */
export async function claim(places: FileLayout, runsReplicas: boolean, onWait: () => void): Promise<Claim> {
  const startedMs = performance.now();
  let lock: DataDirectoryLock | undefined;
  for (let looks = 1; ; looks += 1) {
    lock ??= tryLock(places.dataDirectory);
    const app = await presenceOf(places.app.runFile, APP_PROGRAM);
    const decision = decideClaim(lock !== undefined, app.state, performance.now() - startedMs);
    if (decision === 'running' && app.state === 'answers') return { kind: 'running', app };
    if (decision === 'supervise' && lock) {
      if (!runsReplicas) return { kind: 'supervise', locks: [lock] };
      const replicasLock = await lockWithin(places.replicasDirectory, REPLICAS_LOCK_WITHIN_MS);
      if (replicasLock) return { kind: 'supervise', locks: [lock, replicasLock] };
      lock.release();
      return { kind: 'replicas-taken' };
    }
    if (decision === 'stuck') return { kind: 'stuck' };
    if (looks === 1) onWait();
    await delay(LOOK_EVERY_MS);
  }
}

/** A supervisor that ends gives its locks back one after the other. */
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
