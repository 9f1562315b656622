import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../../kernel/index.js';
import {
  APP_PROGRAM,
  isAlive,
  type FileLayout,
  type Presence,
  presenceOf,
  REPLICA_PROGRAM,
  replicaRunFiles,
  signalProcess,
  SUPERVISOR_LOCK,
  SUPERVISOR_PROGRAM,
} from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';
import { STOP_WITHIN_MS } from './managed-process-core.js';

const LOOK_EVERY_MS = 20;
/** A supervisor gives first its app and then its replicas that long, and then has to kill them. */
const GONE_WITHIN_MS = 2 * STOP_WITHIN_MS + 5_000;

export type StopStep =
  | { readonly kind: 'ask' | 'kill' | 'report'; readonly who: 'supervisor' | 'app' | 'replica'; readonly pid: number }
  | { readonly kind: 'done' };

/**
 * The next thing `npm stop` does. The supervisor goes first, for it stops its children and would start them again
 * otherwise; the replicas go last, so that the app can still confirm what it was asked. Only a process that says itself
 * that it is ours is asked; one that is silent is killed only when told to.
 */
export function decideStop(
  supervisor: Presence,
  app: Presence,
  isForced: boolean,
  replicas: readonly Presence[] = [],
): StopStep {
  const inOrder = [
    ['supervisor', supervisor] as const,
    ['app', app] as const,
    ...replicas.map((replica) => ['replica', replica] as const),
  ];
  for (const [who, presence] of inOrder) {
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

/** Stops what runs on a data directory, and its replicas, and waits until all is gone. */
export async function stopAll(places: FileLayout, isForced: boolean): Promise<StopResult> {
  let wasRunning = false;
  for (;;) {
    const [supervisor, app] = await Promise.all([
      presenceOf(places.supervisorRunFile, SUPERVISOR_PROGRAM),
      presenceOf(places.app.runFile, APP_PROGRAM),
    ]);
    const isTurnOfReplicas = supervisor.state === 'gone' && app.state === 'gone';
    const replicas = isTurnOfReplicas ? await unwatchedReplicas(places) : [];
    const step = decideStop(supervisor, app, isForced, replicas);
    if (step.kind === 'done') return { text: wasRunning ? 'Stopped.' : 'Not running.', isStopped: true };
    const name = `The ${step.who} (pid ${String(step.pid)})`;
    if (step.kind === 'report') {
      return { text: `${name} runs but does not answer. "npm stop -- --force" kills it.`, isStopped: false };
    }
    wasRunning = true;
    signalProcess(step.pid, step.kind === 'ask' ? 'SIGTERM' : 'SIGKILL');
    if (await isGoneWithin(step.pid, GONE_WITHIN_MS)) continue;
    if (!isForced || step.kind === 'kill') {
      return { text: `${name} is still stopping. "npm stop -- --force" kills it.`, isStopped: false };
    }
    signalProcess(step.pid, 'SIGKILL');
    await isGoneWithin(step.pid, GONE_WITHIN_MS);
  }
}

/**
 * Ends the replicas that answer though nobody watches them any more, so that new ones can take their ports, but for those
 * in `adopted`. The caller is the supervisor of their directory. Silent ones are left: only a person may have them killed.
 */
export async function endReplicasLeftBehind(
  { replicasDirectory }: FileLayout,
  adopted: ReadonlySet<number>,
): Promise<void> {
  const found = await presencesIn(replicasDirectory);
  await Promise.all(
    found.map(async (replica) => {
      if (replica.state !== 'answers' || adopted.has(replica.pid)) return;
      signalProcess(replica.pid, 'SIGTERM');
      if (await isGoneWithin(replica.pid, STOP_WITHIN_MS)) return;
      signalProcess(replica.pid, 'SIGKILL');
      await isGoneWithin(replica.pid, STOP_WITHIN_MS);
    }),
  );
}

/** Those that the supervisor of another data directory runs in the same place are not ours to stop. */
async function unwatchedReplicas({ replicasDirectory }: FileLayout): Promise<readonly Presence[]> {
  const found = (await presencesIn(replicasDirectory)).filter(({ state }) => state !== 'gone');
  if (found.length === 0) return [];
  try {
    DataDirectoryLock.acquire(replicasDirectory, SUPERVISOR_LOCK).release();
    return found;
  } catch (error) {
    if (isAppError(error, 'data-directory-locked')) return [];
    throw error;
  }
}

export function presencesIn(replicasDirectory: string): Promise<readonly Presence[]> {
  return Promise.all(replicaRunFiles(replicasDirectory).map((runFile) => presenceOf(runFile, REPLICA_PROGRAM)));
}

async function isGoneWithin(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}
