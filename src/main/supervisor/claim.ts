import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../kernel/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';
import { APP_PROGRAM, type Places, SUPERVISOR_LOCK } from './places.js';
import { type Presence, presenceOf } from './presence.js';

const LOOK_EVERY_MS = 50;
const WAIT_WITHIN_MS = 60_000;

export type Claim =
  /** This process is the one supervisor of the data directory for as long as it keeps `lock`. */
  | { readonly kind: 'supervise'; readonly lock: DataDirectoryLock }
  | { readonly kind: 'running'; readonly pid: number; readonly url: string }
  /** Another supervisor lives, and its app did not answer for a long time. */
  | { readonly kind: 'stuck' };

/** What a second `npm start` does, by whether it holds the supervisors' lock, what the app does, and its patience. */
export function decideClaim(
  holdsLock: boolean,
  app: Presence['state'],
  waitedMs: number,
): 'supervise' | 'running' | 'wait' | 'stuck' {
  if (app === 'answers') return 'running';
  if (holdsLock) return 'supervise';
  return waitedMs < WAIT_WITHIN_MS ? 'wait' : 'stuck';
}

/**
 * Makes this process the supervisor of the data directory, or finds the app that runs already. Another `npm start` that
 * is under way is waited for: it gets its app ready or leaves. `onWait` is called once when that takes a while.
 */
export async function claim(places: Places, onWait: () => void): Promise<Claim> {
  const startedMs = performance.now();
  let lock: DataDirectoryLock | undefined;
  for (let looks = 1; ; looks += 1) {
    lock ??= tryLock(places.dataDirectory);
    const app = await presenceOf(places.appRunFile, APP_PROGRAM);
    const decision = decideClaim(lock !== undefined, app.state, performance.now() - startedMs);
    if (decision === 'running' && app.state === 'answers') {
      lock?.release();
      return { kind: 'running', pid: app.pid, url: app.url };
    }
    if (decision === 'supervise' && lock) return { kind: 'supervise', lock };
    if (decision === 'stuck') return { kind: 'stuck' };
    if (looks === 1) onWait();
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
