import type { AppConfig } from '../../config/index.js';
import {
  adoptChild,
  type FileLayout,
  launchChild,
  type LaunchedChild,
  refusedLaunch,
  readerRunFiles,
  replicaProgram,
  replicaRunFiles,
  type RunNote,
} from '../../platform/nodes/index.js';
import type { DataDirectoryLock } from '../../platform/process/index.js';
import { APP_KIND, GATEWAY_KIND } from './app-processes.js';
import { SPARE } from './managed-process-core.js';
import type { Message, ProcessDescription, ProcessKind } from './process-kind.js';
import { REDIS_KIND } from './redis-nodes.js';
import type { ChildToWatch } from './supervisor.js';
import type { ChildRules } from './supervisor-core.js';

const LOOK_AT_FILES_EVERY_MS = 1_000;

export interface ManagedProcess extends ProcessDescription {
  readonly kind: Pick<ProcessKind, keyof ChildRules | 'isCache'>;
  /** The obstacle that the process reported last. */
  waitsFor?: string | undefined;
}

/** By name, in display order. */
export type ManagedProcesses = ReadonlyMap<string, ManagedProcess>;

const REPLICA_KIND: ProcessKind = {
  title: 'replica',
  restart: SPARE,
  // The app confirms its last writes before its replicas stop.
  stopRank: 2,
  sharedDirectory: ({ replicasDirectory }) => replicasDirectory,
  runFiles: ({ replicasDirectory }) => replicaRunFiles(replicasDirectory),
  processes: ({ http, replication }, layout) =>
    replication.localPorts.map((port, index) => {
      const number = index + 1;
      const files = layout.replica(number, port);
      const { directory } = files;
      return {
        ...replicaProgram(files, { number, port, apiKey: http.apiKeys[0]?.key, environment: process.env }),
        ...{ name: `Replica ${String(number)} (${String(port)})`, lockedDirectory: directory },
        // Nobody waits for a single one of them.
        watching: { isApp: false, deadAfterTimes: 5 },
        rows: (_url, state) => [[`Replica ${String(number)}`, `${state} in ${directory}`]],
      };
    }),
};

const READER_KIND: ProcessKind = {
  title: 'reader',
  restart: SPARE,
  stopRank: 1,
  isStartedByPeople: true,
  runFiles: ({ dataDirectory }) => readerRunFiles(dataDirectory),
  processes: () => [],
};

/** Everything that Bifolio runs on this machine, in the order of the table. */
export const PROCESS_KINDS: readonly ProcessKind[] = [READER_KIND, GATEWAY_KIND, APP_KIND, REPLICA_KIND, REDIS_KIND];

export async function managedProcessesOf(
  kinds: readonly ProcessKind[],
  config: AppConfig,
  layout: FileLayout,
  print: (message: Message) => void,
): Promise<ManagedProcesses> {
  const processes = await Promise.all(
    kinds.map(async (kind) => (await kind.processes(config, layout, print)).map((each) => ({ ...each, kind }))),
  );
  return new Map(processes.flat().map((managed) => [managed.name, managed]));
}

export function announce(
  kinds: readonly ProcessKind[],
  processes: ManagedProcesses,
  layout: FileLayout,
  print: (message: Message) => void,
): void {
  for (const kind of kinds) {
    const ofKind = [...processes.values()].filter((managed) => managed.kind === kind);
    kind.announce?.(ofKind, layout, print);
  }
}

/**
 * The first start of an `adopted` process takes over the running one. When `dataLock` is not in place, another data directory has
 * replaced the locked one: an essential process that began there would pass for the earlier one, and files prepared there would be
 * in the way of the one that a person puts back.
 */
export function childrenOf(
  processes: ManagedProcesses,
  adopted: ReadonlyMap<string, RunNote>,
  dataLock: Pick<DataDirectoryLock, 'isInPlace' | 'path'>,
): Readonly<Record<string, ChildToWatch>> {
  const running = new Map(adopted);
  const entries = [...processes].map(([name, managed]): [string, ChildToWatch] => {
    const { kind, lockedDirectory } = managed;
    const onWaiting = (reason: string | undefined): void => {
      managed.waitsFor = reason;
    };
    const launch = (): ReturnType<typeof launchChild> => {
      const note = running.get(name);
      running.delete(name);
      const isEssentialThere = kind.restart.isEssential && lockedDirectory !== undefined;
      if ((isEssentialThere || managed.prepare !== undefined) && !dataLock.isInPlace()) {
        return refusedLaunch(`recovery-needed: ${goneMessage(dataLock.path)}`);
      }
      const child = note ? adoptChild(managed, note, onWaiting) : launchChild(managed, onWaiting);
      const { onReady, keepFiles } = managed;
      if (keepFiles) killWithoutFiles(child, () => !dataLock.isInPlace() || keepFiles());
      if (onReady) void child.ready.then((answer) => answer && onReady());
      return child;
    };
    return [name, { restart: managed.restart ?? kind.restart, stopRank: kind.stopRank, launch }];
  });
  return Object.fromEntries(entries);
}

function killWithoutFiles(child: LaunchedChild, hasFiles: () => boolean): void {
  const look = setInterval(() => {
    if (!hasFiles()) child.signal('SIGKILL');
  }, LOOK_AT_FILES_EVERY_MS);
  look.unref();
  void child.exited.then(() => {
    clearInterval(look);
  });
}

function goneMessage(path: string): string {
  return `${path} was removed or replaced while it was in use, alone or with its directory: put it back, then npm start; nothing was started in its place`;
}
