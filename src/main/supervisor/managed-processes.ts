import type { AppConfig } from '../../config/index.js';
import {
  adoptChild,
  launchChild,
  type LaunchedChild,
  refusedLaunch,
  type FileLayout,
  programOf,
  type RunNote,
} from '../../platform/nodes/index.js';
import type { ChildToWatch } from './supervisor.js';
import { APP, type ManagedProcesses, type ManagedProcess, replicaName } from './messages.js';

/** Everything that `npm start` runs here, by name, in the order in which it is shown. */
export function managedProcessesOf({ replication }: AppConfig, places: FileLayout): ManagedProcesses {
  const app: ManagedProcess = { places: places.app, replica: undefined, waitsFor: undefined };
  const replicas = replication.localPorts.map((port, index): readonly [string, ManagedProcess] => {
    const number = index + 1;
    const managed = { places: places.replica(number, port), replica: { number, port }, waitsFor: undefined };
    return [replicaName(number, port), managed];
  });
  return Object.fromEntries([[APP, app] as const, ...replicas]);
}

/**
 * `adopted`, by name: what runs already. It is watched in the place of its first start. While `isInPlace` is false, another
 * directory has the name of the one that is ours: an app that began there would pass for the one that was.
 */
export function childrenOf(
  { http }: AppConfig,
  processes: ManagedProcesses,
  adopted: ReadonlyMap<string, RunNote>,
  isInPlace: () => boolean,
): Readonly<Record<string, ChildToWatch>> {
  const running = new Map(adopted);
  const apiKey = http.apiKeys[0]?.key;
  const entries = Object.entries(processes).map(([name, person]): [string, ChildToWatch] => {
    const { places, replica } = person;
    const onNotReady = (detail: string | undefined): void => {
      person.waitsFor = detail;
    };
    // Looked up once, before anything is started: a missing program is a failed start, not a dying child.
    const program = programOf(replica ? 'replica' : 'api');
    const args = replica ? ['--port', String(replica.port)] : [];
    // A crash site is a place in the app.
    const environment = replica ? { ...process.env, CRASH_SITE: '' } : process.env;
    const launch = (): LaunchedChild => {
      const note = running.get(name);
      running.delete(name);
      if (!replica && !isInPlace()) return refusedLaunch(`recovery-needed: ${goneMessage(places.directory)}`);
      const child = { places, program, args, environment, apiKey, onNotReady };
      return note ? adoptChild(child, note) : launchChild(child);
    };
    return [name, { role: replica ? 'spare' : 'essential', launch }];
  });
  return Object.fromEntries(entries);
}

function goneMessage(directory: string): string {
  return `${directory} was removed or replaced while it was in use: put it back, then npm start; nothing was started in its place`;
}
