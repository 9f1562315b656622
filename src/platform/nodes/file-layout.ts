import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The files of one node. */
export interface NodeFiles {
  /** Where it keeps its data. */
  readonly directory: string;
  /** Written by it when it listens, removed by it when it stops cleanly. */
  readonly runFile: string;
  readonly log: string;
}

/** Where the nodes on this machine keep what others may look at. */
export interface FileLayout {
  readonly dataDirectory: string;
  readonly replicasDirectory: string;
  readonly supervisorRunFile: string;
  readonly app: NodeFiles;
  /** `number` is its place among all, from 1. */
  replica(number: number, port: number): NodeFiles;
}

const REPLICA_RUN_FILE = 'replica.json';

export function fileLayoutOf({
  dataDirectory,
  replicasDirectory,
}: Pick<FileLayout, 'dataDirectory' | 'replicasDirectory'>): FileLayout {
  const logs = join(dataDirectory, 'logs');
  return {
    dataDirectory,
    replicasDirectory,
    supervisorRunFile: join(dataDirectory, 'supervisor.json'),
    app: { directory: dataDirectory, runFile: join(dataDirectory, 'app.json'), log: join(logs, 'app.log') },
    replica: (number, port) => {
      const directory = join(replicasDirectory, String(port));
      return {
        directory,
        runFile: join(directory, REPLICA_RUN_FILE),
        log: join(logs, `replica-${String(number)}.log`),
      };
    },
  };
}

/** Of every replica that ran here and left one, whether it is still among the settings or not. */
export function replicaRunFiles(replicasDirectory: string): readonly string[] {
  try {
    return readdirSync(replicasDirectory)
      .map((name) => join(replicasDirectory, name, REPLICA_RUN_FILE))
      .filter((path) => existsSync(path))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Held by the supervisor of a data directory, and of a replicas' directory, for as long as it lives. Another file than
 * the lock of those who keep their data there.
 */
export const SUPERVISOR_LOCK = 'supervisor-lock.db';

/** How the processes look in a list of processes. */
export const APP_PROGRAM = programPattern('api');
export const REPLICA_PROGRAM = programPattern('replica');
export const SUPERVISOR_PROGRAM =
  /[\\/ ](?:scripts[\\/]start\.mjs|bundle[\\/]supervisor\.mjs|main[\\/]supervisor[\\/]main\.js)(?:\s|$)/;

function programPattern(name: string): RegExp {
  return new RegExp(String.raw`[\\/](?:bundle[\\/]${name}\.mjs|main[\\/]${name}[\\/]main\.js)(?:\s|$)`);
}

/** The program that belongs to the one that runs: beside it in the bundle, or compiled in its own folder. */
export function programOf(name: 'api' | 'replica' | 'checker'): string {
  const places = [`./${name}.mjs`, `../../main/${name}/main.js`].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not built: there is no ${places.join(' and no ')}`);
  return found;
}
