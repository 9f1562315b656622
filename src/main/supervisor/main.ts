import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { loadConfig, loadDataDirectory } from '../../config/index.js';
import { isAppError } from '../../kernel/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import { launchApp } from './app-launcher.js';
import { claim } from './claim.js';
import { serveLiveness } from './liveness-server.js';
import { APP_PROGRAM, appProgram, placesIn } from './places.js';
import { presenceOf } from './presence.js';
import { removeRunFile, writeRunFile } from './run-file.js';
import { stopAll } from './stop.js';
import { Supervisor } from './supervisor.js';
import { alreadyRunning, type Words, wordsFor } from './words.js';

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function start(): Promise<number> {
  const config = loadConfig();
  const places = placesIn(config.storage.dataDirectory);
  await new NodeDisk().ensureDirectory(places.dataDirectory);
  const claimed = await claim(places, () => {
    print({ text: 'Another "npm start" is under way: waiting for its app ...', isTrouble: false });
  });
  if (claimed.kind === 'running') {
    print({ text: alreadyRunning(claimed), isTrouble: false });
    return 0;
  }
  if (claimed.kind === 'stuck') {
    print({ text: 'Another "npm start" runs, but its app does not answer. "npm stop" stops it.', isTrouble: true });
    return EXIT_FAILED;
  }

  const program = appProgram();
  const apiKey = config.http.apiKeys[0]?.key;
  const supervisor = new Supervisor({
    launch: () => launchApp({ places, program, environment: process.env, apiKey }),
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
    tell: (notice) => {
      print(wordsFor(notice, places));
    },
  });
  writeRunFile(places.supervisorRunFile, { pid: process.pid, url: await serveLiveness() });
  stopOnSignals(supervisor);
  supervisor.start();
  const exitCode = await supervisor.ended;
  if (exitCode !== 0) await hintAtSilentApp(places.appRunFile);
  removeRunFile(places.supervisorRunFile);
  claimed.lock.release();
  return exitCode;
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

/** What may hold the data directory when a start failed: an app that nobody watches and that does not answer. */
async function hintAtSilentApp(appRunFile: string): Promise<void> {
  const app = await presenceOf(appRunFile, APP_PROGRAM);
  if (app.state !== 'silent') return;
  const text = `An app (pid ${String(app.pid)}) runs here but does not answer. "npm stop -- --force" kills it.`;
  print({ text, isTrouble: true });
}

async function stop(options: readonly string[]): Promise<number> {
  const { text, isStopped } = await stopAll(placesIn(loadDataDirectory()), options.includes('--force'));
  print({ text, isTrouble: !isStopped });
  return isStopped ? 0 : EXIT_FAILED;
}

function print({ text, isTrouble }: Words): void {
  try {
    writeSync(isTrouble ? STANDARD_ERROR : STANDARD_OUTPUT, `${text}\n`);
  } catch {
    // The terminal or the reader of the pipe is gone. The app matters more than what is said about it.
  }
}

async function main([command = 'start', ...options]: readonly string[]): Promise<number> {
  if (command === 'start' && options.length === 0) return start();
  if (command === 'stop' && options.every((option) => option === '--force')) return stop(options);
  print({ text: 'Usage: npm start (settings: .env or the environment), npm stop [-- --force]', isTrouble: true });
  return EXIT_USAGE;
}

main(process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    const text = isAppError(error) ? `${error.code}: ${error.message}` : `cannot continue: ${(error as Error).message}`;
    print({ text, isTrouble: true });
    process.exit(EXIT_FAILED);
  },
);
