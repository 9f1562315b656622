import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The files of one data directory that the supervisor knows. */
export interface Places {
  readonly dataDirectory: string;
  /** Written by the app when it is ready, removed by it when it stops cleanly. */
  readonly appRunFile: string;
  readonly supervisorRunFile: string;
  readonly logDirectory: string;
  readonly appLog: string;
}

export function placesIn(dataDirectory: string): Places {
  const logDirectory = join(dataDirectory, 'logs');
  return {
    dataDirectory,
    appRunFile: join(dataDirectory, 'app.json'),
    supervisorRunFile: join(dataDirectory, 'supervisor.json'),
    logDirectory,
    appLog: join(logDirectory, 'app.log'),
  };
}

/** Held by the supervisor of a data directory for as long as it lives. Another file than the app's own lock. */
export const SUPERVISOR_LOCK = 'supervisor-lock.db';

/** How the two processes look in a list of processes. */
export const APP_PROGRAM = /[\\/](?:bundle[\\/]api\.mjs|main[\\/]api[\\/]main\.js)(?:\s|$)/;
export const SUPERVISOR_PROGRAM =
  /[\\/ ](?:scripts[\\/]start\.mjs|bundle[\\/]supervisor\.mjs|main[\\/]supervisor[\\/]main\.js)(?:\s|$)/;

/** The app that belongs to this supervisor: beside it in the bundle, or compiled in its own folder. */
export function appProgram(): string {
  const places = ['./api.mjs', '../api/main.js'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the app is not built: there is no ${places.join(' and no ')}`);
  return found;
}
