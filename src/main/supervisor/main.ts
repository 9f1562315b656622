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
  APP_PROGRAM,
  explainFailure,
  type FileLayout,
  fileLayoutOf,
  presenceOf,
  removeRunFile,
  type RunNote,
  writeRunFile,
} from '../../platform/nodes/index.js';
import { systemRandom } from '../../platform/process/index.js';
import { clusterSecret } from '../../platform/secrets/index.js';
import { findAdoptable } from './adoption.js';
import { childrenOf, managedProcessesOf } from './managed-processes.js';
import { type Claim, claim } from './claim.js';
import { serveLiveness } from './liveness-server.js';
import { endReplicasLeftBehind, presencesIn, stopAll } from './stop.js';
import { Supervisor } from './supervisor.js';
import { alreadyRunning, APP, otherSettings, watchedAgain, type Message, messageFor } from './messages.js';

/** What is kept here is nobody else's to read. */
const OWNER_ONLY = 0o077;
const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function start(): Promise<number> {
  const config = loadConfig();
  const places = fileLayoutOf(config.storage);
  const { localPorts } = config.replication;
  const disk = new NodeDisk();
  await disk.ensureDirectory(places.dataDirectory);
  if (localPorts.length > 0) await disk.ensureDirectory(places.replicasDirectory);
  const claimed = await claim(places, localPorts.length > 0, () => {
    print({ text: 'Another "npm start" is under way: waiting for its app ...', isTrouble: false });
  });
  if (claimed.kind !== 'supervise') return explainClaim(claimed, config, places);

  const processes = managedProcessesOf(config, places);
  const adopted = await findAdoptable(processes, config.inForce);
  const running = adopted.get(APP);
  if (running && !sayIfOthersAreInForce(running, config.inForce)) return EXIT_FAILED;
  const adoptedPids = new Set([...adopted.values()].map(({ pid }) => pid));
  if (localPorts.length > 0) await endReplicasLeftBehind(places, adoptedPids);
  await spreadSecret(config, places);
  if (adopted.size > 0) print({ text: watchedAgain(adopted), isTrouble: false });
  const supervisor = new Supervisor({
    children: childrenOf(config, processes, adopted, () => claimed.locks.every((lock) => lock.isInPlace())),
    adopted: new Set(adopted.keys()),
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
    notify: (notice) => {
      print(messageFor(notice, processes, places, config.http.apiKeys.length > 0));
    },
  });
  writeRunFile(places.supervisorRunFile, { url: (await serveLiveness()).url });
  stopOnSignals(supervisor);
  supervisor.start();
  const exitCode = await supervisor.ended;
  if (exitCode !== 0) await hintAtSilent(places);
  removeRunFile(places.supervisorRunFile);
  claimed.locks.forEach((lock) => {
    lock.release();
  });
  return exitCode;
}

/** An app keeps the settings that it was started with: whether they are the wanted ones. Otherwise they are named. */
function sayIfOthersAreInForce(app: RunNote, wanted: SettingsInForce): boolean {
  const differences = differencesOf(app.settings ?? wanted, wanted);
  if (differences.length > 0) print({ text: otherSettings(app, differences), isTrouble: true });
  return differences.length === 0;
}

function explainClaim(
  claimed: Exclude<Claim, { kind: 'supervise' }>,
  { inForce }: AppConfig,
  places: FileLayout,
): number {
  switch (claimed.kind) {
    case 'running': {
      if (!sayIfOthersAreInForce(claimed.app, inForce)) return EXIT_FAILED;
      print({ text: alreadyRunning(claimed.app), isTrouble: false });
      return 0;
    }
    case 'stuck':
      print({ text: 'Another "npm start" runs, but its app does not answer. "npm stop" stops it.', isTrouble: true });
      return EXIT_FAILED;
    case 'replicas-taken': {
      const remedy = 'a second installation needs its own REPLICAS_DIR, REPLICA_PORTS and PORT';
      const text = `data-directory-locked: another "npm start" has its replicas in ${places.replicasDirectory}: ${remedy}`;
      print({ text, isTrouble: true });
      return EXIT_FAILED;
    }
  }
}

/** Before the first node starts, so that none makes one of its own. */
async function spreadSecret({ storage, replication }: AppConfig, places: FileLayout): Promise<void> {
  await clusterSecret(
    { disk: new NodeDisk(), random: systemRandom, crashSites: NO_CRASH_SITES, log: { warn } },
    {
      given: storage.clusterSecret,
      dataDirectory: storage.dataDirectory,
      replicaDirectories: await directoriesIn(storage.replicasDirectory),
      keepIn: [storage.dataDirectory],
      spreadTo: replication.localPorts.map((port, index) => places.replica(index + 1, port).directory),
    },
  );
}

/** A terminal that closes stops what was started in it. Without one (nohup, a service) a hang-up means nothing. */
function stopOnSignals(supervisor: Supervisor): void {
  const stop = (): void => {
    supervisor.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', isatty(STANDARD_INPUT) ? stop : () => undefined);
}

/** What may hold a directory or a port when a start failed: a process that nobody watches and that does not answer. */
async function hintAtSilent(places: FileLayout): Promise<void> {
  const app = await presenceOf(places.app.runFile, APP_PROGRAM);
  const replicas = await presencesIn(places.replicasDirectory);
  for (const [what, presence] of [['An app', app] as const, ...replicas.map((one) => ['A replica', one] as const)]) {
    if (presence.state !== 'silent') continue;
    const text = `${what} (pid ${String(presence.pid)}) runs here but does not answer. "npm stop -- --force" kills it.`;
    print({ text, isTrouble: true });
  }
}

async function stop(options: readonly string[]): Promise<number> {
  const { text, isStopped } = await stopAll(fileLayoutOf(loadDirectories()), options.includes('--force'));
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
    // The terminal or the reader of the pipe is gone. The app matters more than what is said about it.
  }
}

async function main([command = 'start', ...options]: readonly string[]): Promise<number> {
  process.umask(OWNER_ONLY);
  if (command === 'start' && options.length === 0) return start();
  if (command === 'stop' && options.every((option) => option === '--force')) return stop(options);
  print({ text: 'Usage: npm start (settings: .env or the environment), npm stop [-- --force]', isTrouble: true });
  return EXIT_USAGE;
}

main(process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    print({ text: explainFailure(error, namedDirectories()), isTrouble: true });
    process.exit(EXIT_FAILED);
  },
);
