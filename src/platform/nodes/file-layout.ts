import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunFile } from './run-file.js';

export interface NodeFiles {
  /** The directory of the node's data. */
  readonly directory: string;
  /** The node writes it when it listens, and removes it when it stops cleanly. */
  readonly runFile: RunFile;
  readonly log: string;
}

/** The files of this machine's nodes that other processes may read. */
export interface FileLayout {
  readonly dataDirectory: string;
  readonly replicasDirectory: string;
  readonly supervisorRunFile: RunFile;
  readonly app: NodeFiles;
  /** The app of two that waits. Its run file is the note of whichever waits. */
  readonly standby: NodeFiles;
  readonly gateway: NodeFiles;
  /** `number` counts the replicas from 1. */
  replica(number: number, port: number): NodeFiles;
  /** The password and the addresses of the Redis Cluster that runs here. */
  readonly redisDirectory: string;
  /** `number` counts the Redis nodes from 1. */
  redisNode(number: number): NodeFiles;
}

const REPLICA_RUN_FILE = 'replica.json';
const READER_RUN_FILE = /^reader-\d+\.json$/;
const APP_PROGRAM = programPattern('api', 'app(?!.* --reader)');
const REPLICA_PROGRAM = programPattern('replica', 'replica');
const GATEWAY_PROGRAM = programPattern('gateway', 'gateway');
const READER_PROGRAM = programPattern('reader', 'app.* --reader');
/** What Redis makes of its command line, and the one that it is started with. */
const REDIS_PROGRAM = /\[cluster\]|[\\/]redis\.conf(?:\s|$)/;
const REDIS_URL = 'redis://127.0.0.1';
const SUPERVISOR_PROGRAM =
  /[\\/ ](?:scripts[\\/]start\.mjs|bundle[\\/]supervisor\.mjs|main[\\/]supervisor[\\/]main\.js)(?:\s|$)/;

export function fileLayoutOf({
  dataDirectory,
  replicasDirectory,
}: Pick<FileLayout, 'dataDirectory' | 'replicasDirectory'>): FileLayout {
  const logs = join(dataDirectory, 'logs');
  const redisDirectory = join(dataDirectory, 'redis');
  return {
    dataDirectory,
    replicasDirectory,
    supervisorRunFile: { path: join(dataDirectory, 'supervisor.json'), program: SUPERVISOR_PROGRAM },
    app: {
      directory: dataDirectory,
      runFile: { path: join(dataDirectory, 'app.json'), program: APP_PROGRAM },
      log: join(logs, 'app.log'),
    },
    standby: {
      directory: dataDirectory,
      runFile: { path: join(dataDirectory, 'standby.json'), program: APP_PROGRAM },
      log: join(logs, 'app-b.log'),
    },
    gateway: {
      directory: dataDirectory,
      runFile: { path: join(dataDirectory, 'gateway.json'), program: GATEWAY_PROGRAM },
      log: join(logs, 'gateway.log'),
    },
    replica: (number, port) => {
      const directory = join(replicasDirectory, String(port));
      return {
        directory,
        runFile: { path: join(directory, REPLICA_RUN_FILE), program: REPLICA_PROGRAM },
        log: join(logs, `replica-${String(number)}.log`),
      };
    },
    redisDirectory,
    redisNode: (number) => {
      const directory = join(redisDirectory, `node-${String(number)}`);
      return {
        directory,
        runFile: { path: `${directory}.json`, program: REDIS_PROGRAM, url: REDIS_URL },
        log: join(logs, `redis-${String(number)}.log`),
      };
    },
  };
}

/** The run files of all replicas that ran here and did not stop cleanly, including those that the settings no longer name. */
export function replicaRunFiles(replicasDirectory: string): readonly RunFile[] {
  return namesIn(replicasDirectory)
    .map((name) => join(replicasDirectory, name, REPLICA_RUN_FILE))
    .filter((path) => existsSync(path))
    .map((path) => ({ path, program: REPLICA_PROGRAM }));
}

/** The path of the only file that this process writes when it is a reader. `port` 0: any. */
export function readerRunFile(dataDirectory: string, port: number): string {
  return join(dataDirectory, `reader-${String(port || process.pid)}.json`);
}

/** The run files of all readers that run on this data directory or did not stop cleanly. */
export function readerRunFiles(dataDirectory: string): readonly RunFile[] {
  return namesIn(dataDirectory)
    .filter((name) => READER_RUN_FILE.test(name))
    .map((name) => ({ path: join(dataDirectory, name), program: READER_PROGRAM }));
}

/** Sorted; none when there is no such directory. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A supervisor holds this lock in its data or replicas' directory while it lives. The nodes there hold another lock. */
export const SUPERVISOR_LOCK = 'supervisor-lock.db';

/** Matches the command line of a process in the system's list. `command`: what follows `scripts/run.mjs` in the commands of npm. */
function programPattern(name: string, command: string): RegExp {
  return new RegExp(
    String.raw`[\\/](?:bundle[\\/]${name}\.mjs|main[\\/]${name}[\\/]main\.js|run\.mjs ${command})(?:\s|$)`,
  );
}

/** The path of another program of this build: beside the running bundle, or compiled in its own folder. */
export function programOf(name: 'api' | 'gateway' | 'replica' | 'checker' | 'hasher'): string {
  const pathOf = (url: string): string => fileURLToPath(new URL(url, import.meta.url));
  const bundled = pathOf(`./${name}.mjs`);
  return existsSync(bundled) ? bundled : pathOf(`../../main/${name}/main.js`);
}
