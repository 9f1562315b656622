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
  /** `number` counts the replicas from 1. */
  replica(number: number, port: number): NodeFiles;
  /** The password and the addresses of the Redis Cluster that runs here. */
  readonly redisDirectory: string;
  /** `number` counts the Redis nodes from 1. */
  redisNode(number: number): NodeFiles;
}

const REPLICA_RUN_FILE = 'replica.json';
const APP_PROGRAM = programPattern('api');
const REPLICA_PROGRAM = programPattern('replica');
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
  try {
    return readdirSync(replicasDirectory)
      .map((name) => join(replicasDirectory, name, REPLICA_RUN_FILE))
      .filter((path) => existsSync(path))
      .sort()
      .map((path) => ({ path, program: REPLICA_PROGRAM }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A supervisor holds this lock in its data or replicas' directory while it lives. The nodes there hold another lock. */
export const SUPERVISOR_LOCK = 'supervisor-lock.db';

/** Matches the command line of a process in the system's list. */
function programPattern(name: string): RegExp {
  return new RegExp(String.raw`[\\/](?:bundle[\\/]${name}\.mjs|main[\\/]${name}[\\/]main\.js)(?:\s|$)`);
}

/** The path of another program of this build: beside the running bundle, or compiled in its own folder. */
export function programOf(name: 'api' | 'replica' | 'checker'): string {
  const pathOf = (url: string): string => fileURLToPath(new URL(url, import.meta.url));
  const bundled = pathOf(`./${name}.mjs`);
  return existsSync(bundled) ? bundled : pathOf(`../../main/${name}/main.js`);
}
