import { setTimeout as delay } from 'node:timers/promises';
import { differencesOf, type SettingsInForce } from '../../config/index.js';
import { type Presence, presenceOf, type RunNote } from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';
import type { ManagedProcess, ManagedProcesses } from './managed-processes.js';

const LOOK_EVERY_MS = 50;
/** A process that holds its directory recovers first, and then notes its address. */
const NOTED_WITHIN_MS = 15_000;

const OF_ONE_PROCESS: readonly string[] = ['PORT', 'CRASH_SITE'];

/**
 * Finds the processes without a supervisor that can be adopted, by name: pid, start time, the process's own answer and the lock
 * of its directory match its note. Leaves out a process with settings other than `wanted` or at another address, which is to be restarted, unless it is
 * essential: then the caller decides.
 */
export async function findAdoptable(
  processes: ManagedProcesses,
  wanted: SettingsInForce,
): Promise<ReadonlyMap<string, RunNote>> {
  const found = await Promise.all(
    [...processes].map(async ([name, managed]): Promise<readonly [string, RunNote][]> => {
      const presence = await settledPresence(managed);
      if (presence.state !== 'answers' || holdsDirectory(managed) === false) return [];
      const { url } = managed.runFile;
      if (url !== undefined && url !== presence.url) return [];
      if (managed.kind.restart.isEssential) return [[name, presence]];
      const isAdoptable = isAsWanted(presence, wanted) && (await managed.isUsable?.()) !== false;
      return isAdoptable ? [[name, presence]] : [];
    }),
  );
  return new Map(found.flat());
}

/** Waits for a process that was started just before its supervisor died and has not noted its address yet. */
async function settledPresence(managed: ManagedProcess): Promise<Presence> {
  const deadline = performance.now() + NOTED_WITHIN_MS;
  for (;;) {
    const presence = await presenceOf(managed.runFile);
    const mayCome = managed.mayBeAbsent !== true && holdsDirectory(managed);
    if (presence.state !== 'gone' || !mayCome || performance.now() > deadline) return presence;
    await delay(LOOK_EVERY_MS);
  }
}

function holdsDirectory({ lockedDirectory }: ManagedProcess): boolean | undefined {
  return lockedDirectory === undefined ? undefined : DataDirectoryLock.isHeld(lockedDirectory);
}

function isAsWanted({ settings }: RunNote, wanted: SettingsInForce): boolean {
  return !settings || differencesOf(settings, wanted).every(({ name }) => OF_ONE_PROCESS.includes(name));
}
