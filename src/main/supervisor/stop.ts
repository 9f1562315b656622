import { setTimeout as delay } from 'node:timers/promises';
import {
  isAlive,
  type FileLayout,
  type Presence,
  presenceOf,
  signalProcess,
  SUPERVISOR_LOCK,
} from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';
import { STOP_WITHIN_MS } from './managed-process-core.js';
import type { ProcessKind } from './process-kind.js';

const LOOK_EVERY_MS = 20;
/** A supervisor notes itself once a second. */
const NOTED_WITHIN_MS = 3_000;

export interface Found {
  readonly title: string;
  readonly presence: Presence;
}

export type StopStep =
  | { readonly kind: 'ask' | 'kill' | 'report'; readonly title: string; readonly pid: number }
  | { readonly kind: 'done' };

/**
 * Decides the next step of `npm stop` from the processes found, in stop order. Asks only a process that identifies itself, and
 * kills a silent one only when forced.
 */
export function decideStop(found: readonly Found[], isForced: boolean): StopStep {
  for (const { title, presence } of found) {
    if (presence.state === 'answers') return { kind: 'ask', title, pid: presence.pid };
    if (presence.state === 'silent') return { kind: isForced ? 'kill' : 'report', title, pid: presence.pid };
  }
  return { kind: 'done' };
}

export interface StopResult {
  readonly text: string;
  readonly isStopped: boolean;
}

/**
 * Stops every process on a data directory and waits for its end. The supervisor is first: it stops its processes itself, and
 * would restart those that others stop.
 */
export async function stopAll(
  kinds: readonly ProcessKind[],
  layout: FileLayout,
  isForced: boolean,
): Promise<StopResult> {
  if (!(await isSupervisorNoted(layout))) return { text: unnamedMessage(layout), isStopped: false };
  const goneWithinMs = stopTimeOf(kinds);
  let wasRunning = false;
  for (;;) {
    const step = decideStop(await firstToStop(kinds, layout), isForced);
    if (step.kind === 'done') return { text: wasRunning ? 'Stopped.' : 'Not running.', isStopped: true };
    if (step.kind === 'report') return { text: silentMessage(step.title, step.pid), isStopped: false };
    wasRunning = true;
    signalProcess(step.pid, step.kind === 'ask' ? 'SIGTERM' : 'SIGKILL');
    if (await isGoneWithin(step.pid, goneWithinMs)) continue;
    if (!isForced || step.kind === 'kill') {
      const text = `The ${step.title} (pid ${String(step.pid)}) is still stopping. "npm stop -- --force" kills it.`;
      return { text, isStopped: false };
    }
    signalProcess(step.pid, 'SIGKILL');
    await isGoneWithin(step.pid, goneWithinMs);
  }
}

/** Returns false when a supervisor holds the data directory and its note stays away: it would restart what others stop. */
async function isSupervisorNoted({ supervisorRunFile, dataDirectory }: FileLayout): Promise<boolean> {
  const deadline = performance.now() + NOTED_WITHIN_MS;
  for (;;) {
    const { state } = await presenceOf(supervisorRunFile);
    if (state !== 'gone' || !DataDirectoryLock.isHeld(dataDirectory, SUPERVISOR_LOCK)) return true;
    if (performance.now() >= deadline) return false;
    await delay(LOOK_EVERY_MS);
  }
}

/** A supervisor gives the processes of each rank STOP_WITHIN_MS, and then has to kill them. */
function stopTimeOf(kinds: readonly ProcessKind[]): number {
  return new Set(kinds.map(({ stopRank }) => stopRank)).size * STOP_WITHIN_MS + 5_000;
}

/** Returns the supervisor if there is one, or else the processes of the next kind. */
async function firstToStop(kinds: readonly ProcessKind[], layout: FileLayout): Promise<readonly Found[]> {
  const supervisor = await presenceOf(layout.supervisorRunFile);
  if (supervisor.state !== 'gone') return [{ title: 'supervisor', presence: supervisor }];
  for (const kind of kinds.toSorted((one, other) => one.stopRank - other.stopRank)) {
    const found = await runningOf([kind], layout);
    const shared = kind.sharedDirectory?.(layout);
    const isOthers = found.length > 0 && shared !== undefined && DataDirectoryLock.isHeld(shared, SUPERVISOR_LOCK);
    if (found.length > 0 && !isOthers) return found;
  }
  return [];
}

/** All running processes of these kinds, with or without a supervisor. */
export async function runningOf(kinds: readonly ProcessKind[], layout: FileLayout): Promise<readonly Found[]> {
  const found = kinds.map(async (kind): Promise<readonly Found[]> => {
    const noted = await Promise.all(kind.runFiles(layout).map(presenceOf));
    const running = noted.filter((presence) => presence.state !== 'gone');
    const others = (kind.withoutRunFile?.(layout) ?? []).filter(({ pid }) => running.every((each) => each.pid !== pid));
    const presences = [...running, ...others.map((note) => ({ state: 'answers', ...note }) as const)];
    return presences.map((presence) => ({ title: kind.title, presence }));
  });
  return (await Promise.all(found)).flat();
}

/**
 * Ends the processes that answer, have no supervisor and are not in `adopted`, so that new ones can take their ports. The caller
 * is their supervisor. Silent processes stay, because only a person may have them killed.
 */
export async function endLeftBehind(
  kinds: readonly ProcessKind[],
  layout: FileLayout,
  adopted: ReadonlySet<number>,
): Promise<void> {
  const spare = kinds.filter(({ restart }) => !restart.isEssential);
  const ending = (await runningOf(spare, layout)).map(async ({ presence }) => {
    if (presence.state !== 'answers' || adopted.has(presence.pid)) return;
    signalProcess(presence.pid, 'SIGTERM');
    if (await isGoneWithin(presence.pid, STOP_WITHIN_MS)) return;
    signalProcess(presence.pid, 'SIGKILL');
    await isGoneWithin(presence.pid, STOP_WITHIN_MS);
  });
  await Promise.all(ending);
}

export function silentMessage(title: string, pid: number): string {
  return `The ${title} (pid ${String(pid)}) runs but does not answer. "npm stop -- --force" kills it.`;
}

function unnamedMessage({ supervisorRunFile, dataDirectory }: FileLayout): string {
  return (
    `An "npm start" holds ${dataDirectory}, and ${supervisorRunFile.path} does not say which process it is: ` +
    'press Ctrl-C in its terminal, or try again once it has started.'
  );
}

async function isGoneWithin(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}
