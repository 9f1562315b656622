import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { complaintIn, readFrom } from './complaint.js';
import type { AppExit } from './core.js';
import { getJson } from './http-json.js';
import type { Places } from './places.js';
import { readRunFile, type RunNote } from './run-file.js';
import type { LaunchedApp } from './supervisor.js';

const ASK_EVERY_MS = 15;
const ANSWER_WITHIN_MS = 2_000;

export interface AppLauncherOptions {
  readonly places: Places;
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Sent when asking whether it is ready; undefined where no key is needed. */
  readonly apiKey: string | undefined;
}

/**
 * Starts the app in a session of its own, both outputs appended to its log, so that it outlives this process, its
 * terminal and a Ctrl-C there. Errors of starting it appear as an exit.
 */
export function launchApp({ places, program, environment, apiKey }: AppLauncherOptions): LaunchedApp {
  mkdirSync(places.logDirectory, { recursive: true });
  const log = openSync(places.appLog, 'a', 0o600);
  const logLength = fstatSync(log).size;
  const child = spawn(process.execPath, [program], { detached: true, stdio: ['ignore', log, log], env: environment });
  closeSync(log);

  const exited = exitOf(child, () => complaintIn(readFrom(places.appLog, logLength)));
  let isGone = false;
  void exited.then(() => (isGone = true));
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  return {
    exited,
    ready: whenReady(places.appRunFile, child.pid, { isGone: () => isGone, headers }),
    signal: (signal) => {
      child.kill(signal);
    },
  };
}

function exitOf(child: ChildProcess, complaint: () => string | undefined): Promise<AppExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ pid: child.pid, code, signal, complaint: complaint() });
    });
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ pid: undefined, code: -1, signal: null, complaint: error.message });
    });
  });
}

async function whenReady(
  runFile: string,
  pid: number | undefined,
  { isGone, headers }: { readonly isGone: () => boolean; readonly headers: Readonly<Record<string, string>> },
): Promise<RunNote | undefined> {
  while (!isGone()) {
    const note = readRunFile(runFile);
    if (note?.pid === pid && note !== undefined) {
      const answer = await getJson(new URL('/health/ready', note.url).href, { timeoutMs: ANSWER_WITHIN_MS, headers });
      if (answer?.status === 200) return note;
    }
    await delay(ASK_EVERY_MS);
  }
  return undefined;
}
