import { setTimeout as delay } from 'node:timers/promises';
import { differencesOf, type SettingsInForce } from '../../config/index.js';
import { APP_PROGRAM, type Presence, presenceOf, REPLICA_PROGRAM, type RunNote } from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';
import type { ManagedProcesses, ManagedProcess } from './messages.js';

const LOOK_EVERY_MS = 50;
/** One that holds its directory says soon where it answers: it recovers first. */
const NOTED_WITHIN_MS = 15_000;

/** They differ between a replica and the app by design. */
const OF_ONE_PROCESS: readonly string[] = ['PORT', 'CRASH_SITE'];

/**
 * What runs without a supervisor and may be watched again, by name: number, start time, its own answer and the lock of its
 * directory agree that it is what its note says. A replica with other settings than `wanted` is left out, to be started
 * anew; what an app with other settings means is for the caller to decide.
 */
export async function findAdoptable(
  processes: ManagedProcesses,
  wanted: SettingsInForce,
): Promise<ReadonlyMap<string, RunNote>> {
  const found = await Promise.all(
    Object.entries(processes).map(async ([name, person]) => [name, await settledPresence(person)] as const),
  );
  const adopted = new Map<string, RunNote>();
  for (const [name, presence] of found) {
    const managed = processes[name];
    if (presence.state !== 'answers' || !managed || !holdsDirectory(managed)) continue;
    if (!managed.replica || isAsWanted(presence, wanted)) adopted.set(name, presence);
  }
  return adopted;
}

/** Waits for one that was started just before its supervisor died, and has not yet noted where it answers. */
async function settledPresence(managed: ManagedProcess): Promise<Presence> {
  const deadline = performance.now() + NOTED_WITHIN_MS;
  for (;;) {
    const presence = await presenceOf(managed.places.runFile, managed.replica ? REPLICA_PROGRAM : APP_PROGRAM);
    if (presence.state !== 'gone' || !holdsDirectory(managed) || performance.now() > deadline) return presence;
    await delay(LOOK_EVERY_MS);
  }
}

function holdsDirectory({ places }: ManagedProcess): boolean {
  return DataDirectoryLock.isHeld(places.directory);
}

function isAsWanted({ settings }: RunNote, wanted: SettingsInForce): boolean {
  return !settings || differencesOf(settings, wanted).every(({ name }) => OF_ONE_PROCESS.includes(name));
}
