import { setTimeout as delay } from 'node:timers/promises';
import { STOP_WITHIN_MS } from './core.js';
import { APP_PROGRAM, type Places, SUPERVISOR_PROGRAM } from './places.js';
import { isAlive, type Presence, presenceOf } from './presence.js';

const LOOK_EVERY_MS = 20;
/** A supervisor first gives its app that long and then has to kill it. */
const GONE_WITHIN_MS = STOP_WITHIN_MS + 5_000;

export type StopStep =
  | { readonly kind: 'ask' | 'kill' | 'report'; readonly who: 'supervisor' | 'app'; readonly pid: number }
  | { readonly kind: 'done' };

/**
 * The next thing `npm stop` does. The supervisor goes first, for it stops its app and would start it again otherwise.
 * Only a process that says itself that it is ours is asked; one that is silent is killed only when told to.
 */
export function decideStop(supervisor: Presence, app: Presence, isForced: boolean): StopStep {
  for (const [who, presence] of [['supervisor', supervisor] as const, ['app', app] as const]) {
    if (presence.state === 'answers') return { kind: 'ask', who, pid: presence.pid };
    if (presence.state === 'silent') return { kind: isForced ? 'kill' : 'report', who, pid: presence.pid };
  }
  return { kind: 'done' };
}

export interface StopResult {
  /** What to print, one line. */
  readonly text: string;
  readonly isStopped: boolean;
}

/** Stops what runs on a data directory and waits until it is gone. */
export async function stopAll(places: Places, isForced: boolean): Promise<StopResult> {
  let wasRunning = false;
  for (;;) {
    const [supervisor, app] = await Promise.all([
      presenceOf(places.supervisorRunFile, SUPERVISOR_PROGRAM),
      presenceOf(places.appRunFile, APP_PROGRAM),
    ]);
    const step = decideStop(supervisor, app, isForced);
    if (step.kind === 'done') return { text: wasRunning ? 'Stopped.' : 'Not running.', isStopped: true };
    const name = `The ${step.who} (pid ${String(step.pid)})`;
    if (step.kind === 'report') {
      return { text: `${name} runs but does not answer. "npm stop -- --force" kills it.`, isStopped: false };
    }
    wasRunning = true;
    signal(step.pid, step.kind === 'ask' ? 'SIGTERM' : 'SIGKILL');
    if (await isGoneWithin(step.pid, GONE_WITHIN_MS)) continue;
    if (!isForced || step.kind === 'kill') {
      return { text: `${name} is still stopping. "npm stop -- --force" kills it.`, isStopped: false };
    }
    signal(step.pid, 'SIGKILL');
    await isGoneWithin(step.pid, GONE_WITHIN_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // Gone between the question and now: what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isGoneWithin(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}
