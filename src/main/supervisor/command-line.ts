import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import {
  type AppConfig,
  differencesOf,
  loadConfig,
  loadDirectories,
  namedDirectories,
  type SettingsInForce,
} from '../../config/index.js';
import { NO_CRASH_SITES } from '../../platform/crash-sites/index.js';
import { directoriesIn, NodeDisk } from '../../platform/disk/index.js';
import {
  explainFailure,
  type FileLayout,
  fileLayoutOf,
  keepRunFile,
  type RunNote,
} from '../../platform/nodes/index.js';
import { commandLine, monotonicMs, systemClock, systemRandom } from '../../platform/process/index.js';
import { clusterSecret } from '../../platform/secrets/index.js';
import { ENDED } from '../../protocols/failover/index.js';
import { findAdoptable } from './adoption.js';
import { announce, childrenOf, type ManagedProcesses, managedProcessesOf } from './managed-processes.js';
import { type Claim, claim } from './claim.js';
import { HealthWatch } from './health-watch.js';
import type { Message, ProcessKind } from './process-kind.js';
import { StatusReport } from './status-report.js';
import { serveStatus } from './status-server.js';
import { endLeftBehind, runningOf, silentMessage, stopAll } from './stop.js';
import { Supervisor } from './supervisor.js';
import { alreadyRunning, hungMessage, messageFor, otherSettings, takenOverMessage, watchedAgain } from './messages.js';

const OWNER_ONLY = 0o077;
const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
const EXIT_FAILED = 1;

async function start(kinds: readonly ProcessKind[]): Promise<number> {
  const config = loadConfig();
  const layout = fileLayoutOf(config.storage);
  const { localPorts } = config.replication;
  const disk = new NodeDisk();
  await disk.ensureDirectory(layout.dataDirectory);
  if (localPorts.length > 0) await disk.ensureDirectory(layout.replicasDirectory);
  const claimed = await claim(layout, localPorts.length > 0, () => {
    print({ text: 'Another "npm start" is under way: waiting for its app ...', isTrouble: false });
  });
  if (claimed.kind !== 'supervise') return explainClaim(claimed, config, layout);

  const processes = await managedProcessesOf(kinds, config, layout, print);
  const adopted = await findAdoptable(processes, config.inForce);
  const running = runningApp(processes, adopted);
  if (running && !hasSettings(running, config.inForce)) return EXIT_FAILED;
  const watch = new HealthWatch(processes, {
    ...{ pingMs: config.replication.pingMs, deadAfterMs: config.replication.deadAfterMs },
    changed: (change) => {
      report.changed(change);
      if (change.to === 'dead' && change.reason !== ENDED) print(hungMessage(change));
    },
    takenOver: (takeover) => {
      const message = takenOverMessage(takeover);
      if (message) print(message);
    },
  });
  const supervisor = new Supervisor({
    watch,
    children: childrenOf(processes, adopted, claimed.locks[0]),
    adopted: new Set(adopted.keys()),
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
    notify: (notice) => {
      print(messageFor(notice, processes, layout, config.http.apiKeys.length > 0));
    },
  });
  const report = new StatusReport({
    ...{ processes, watch, clock: systemClock, nowMs: monotonicMs, minInSync: config.replication.minInSync },
    childOf: (name) => supervisor.child(name),
  });
  const { supervisorPort: port } = config.supervisor;
  const { url } = await serveStatus({ port, apiKeys: config.http.apiKeys, status: () => report.status() });
  announce(kinds, processes, layout, print);
  const adoptedPids = new Set([...adopted.values()].map(({ pid }) => pid));
  const isOurs = (kind: ProcessKind): boolean =>
    !startedByPeople(kind) && (!kind.sharedDirectory || localPorts.length > 0);
  await endLeftBehind(kinds.filter(isOurs), layout, adoptedPids);
  await spreadSecret(config, layout);
  if (adopted.size > 0) print({ text: watchedAgain(adopted), isTrouble: false });
  // A caller that finds this process in its note may send it a signal at once.
  stopOnSignals(supervisor);
  const endRunFile = keepRunFile(layout.supervisorRunFile.path, { url });
  supervisor.start();
  watch.start();
  const exitCode = await supervisor.ended;
  if (exitCode !== 0) await hintAtSilent(kinds, layout);
  // A stop was asked for. A reader goes on when the app has failed.
  else await endLeftBehind(kinds.filter(startedByPeople), layout, new Set());
  endRunFile();
  claimed.locks.forEach((lock) => {
    lock.release();
  });
  return exitCode;
}

/** An app that was left running keeps its settings, whatever this start asks for. */
function runningApp(processes: ManagedProcesses, adopted: ReadonlyMap<string, RunNote>): RunNote | undefined {
  const [app] = [...adopted].find(([name]) => processes.get(name)?.watching?.isApp === true) ?? [];
  return app === undefined ? undefined : adopted.get(app);
}

function startedByPeople({ isStartedByPeople = false }: ProcessKind): boolean {
  return isStartedByPeople;
}

/** An app keeps the settings of its start. Returns whether they are the wanted ones, and names the differences. */
function hasSettings(app: RunNote, wanted: SettingsInForce): boolean {
  const differences = differencesOf(app.settings ?? wanted, wanted);
  if (differences.length > 0) print({ text: otherSettings(app, differences), isTrouble: true });
  return differences.length === 0;
}

function explainClaim(
  claimed: Exclude<Claim, { kind: 'supervise' }>,
  { inForce }: AppConfig,
  layout: FileLayout,
): number {
  switch (claimed.kind) {
    case 'running': {
      if (!hasSettings(claimed.app, inForce)) return EXIT_FAILED;
      print({ text: alreadyRunning(claimed.app), isTrouble: false });
      return 0;
    }
    case 'stuck':
      print({ text: 'Another "npm start" runs, but its app does not answer. "npm stop" stops it.', isTrouble: true });
      return EXIT_FAILED;
    case 'replicas-taken': {
      const remedy = 'a second installation needs its own REPLICAS_DIR, REPLICA_PORTS and PORT';
      const text = `data-directory-locked: another "npm start" has its replicas in ${layout.replicasDirectory}: ${remedy}`;
      print({ text, isTrouble: true });
      return EXIT_FAILED;
    }
  }
}

/** Runs before the first node starts, so that no node creates a secret of its own. */
async function spreadSecret({ storage, replication }: AppConfig, layout: FileLayout): Promise<void> {
  await clusterSecret(
    { disk: new NodeDisk(), random: systemRandom, crashSites: NO_CRASH_SITES, log: { warn } },
    {
      given: storage.clusterSecret,
      dataDirectory: storage.dataDirectory,
      replicaDirectories: await directoriesIn(storage.replicasDirectory),
      keepIn: [storage.dataDirectory],
      spreadTo: replication.localPorts.map((port, index) => layout.replica(index + 1, port).directory),
    },
  );
}

/** A closing terminal stops what was started in it. Without a terminal (nohup, a service) a hang-up means nothing. */
function stopOnSignals(supervisor: Supervisor): void {
  const stop = (): void => {
    supervisor.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', isatty(STANDARD_INPUT) ? stop : () => undefined);
}

/** Names the processes that may hold a directory or a port when a start failed. */
async function hintAtSilent(kinds: readonly ProcessKind[], layout: FileLayout): Promise<void> {
  for (const { title, presence } of await runningOf(kinds, layout)) {
    if (presence.state === 'silent') print({ text: silentMessage(title, presence.pid), isTrouble: true });
  }
}

async function stop(kinds: readonly ProcessKind[], isForced: boolean): Promise<number> {
  const { text, isStopped } = await stopAll(kinds, fileLayoutOf(loadDirectories()), isForced);
  print({ text, isTrouble: !isStopped });
  return isStopped ? 0 : EXIT_FAILED;
}

function warn(message: string): void {
  print({ text: `Warning: ${message}`, isTrouble: true });
}

function print({ text, isTrouble }: Message): void {
  try {
    writeSync(isTrouble ? STANDARD_ERROR : STANDARD_OUTPUT, `${text}\n`);
  } catch {
    // The terminal or the reader of the pipe is gone; the processes go on.
  }
}

async function run(kinds: readonly ProcessKind[], [command = 'start', ...options]: readonly string[]): Promise<number> {
  process.umask(OWNER_ONLY);
  if (command !== 'stop') {
    commandLine('npm start', 'Starts the app and its replicas; settings come from the environment or .env.')
      .usage('')
      .parse(options, { from: 'user' });
    return start(kinds);
  }
  const { force = false } = commandLine('npm stop', 'Stops what npm start started, and waits until it is gone.')
    .option('--force', 'kill what does not answer')
    .parse(options, { from: 'user' })
    .opts<{ readonly force?: boolean }>();
  return stop(kinds, force);
}

export function runCommandLine(args: readonly string[], kinds: readonly ProcessKind[]): void {
  run(kinds, args).then(
    (exitCode) => process.exit(exitCode),
    (error: unknown) => {
      print({ text: explainFailure(error, namedDirectories()), isTrouble: true });
      process.exit(EXIT_FAILED);
    },
  );
}
