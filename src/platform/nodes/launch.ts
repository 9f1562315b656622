import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readFrom } from './complaint.js';
import { explainFailure } from './explain-failure.js';
import { isSameProcess } from './presence.js';
import { startOf } from './process-table.js';
import type { ReadinessProbe } from './readiness.js';
import { keepRunFile, type RunFile, type RunNote } from './run-file.js';

const LOOK_EVERY_MS = 15;
/** A process that waits for others should not spend its time on answering probes. */
const ASK_AGAIN_AFTER_MS = 100;
const NEVER_STARTED = -1;

/** How a child ended. Code and signal of an adopted child are unknown. */
export interface ChildExit {
  readonly pid: number | undefined;
  /** Null when a signal ended the child, or when the code is unknown. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The line in which the child gave the reason; undefined without one. */
  readonly complaint: string | undefined;
}

export interface LaunchedChild {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Whether pid and start time are those of this process. */
  isRunning(): boolean;
  /** Resolves with the child's address once its probe finds it ready; with undefined when it ended earlier. */
  readonly ready: Promise<Pick<RunNote, 'pid' | 'url'> | undefined>;
  /** Resolves when the process is gone. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Has no effect when the process is gone. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ChildProgram {
  /** An executable, by path or by its name in PATH. */
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The file to which both outputs are appended. */
  readonly log: string;
  readonly probe: ReadinessProbe;
  readonly runFile: RunFile;
  /** Makes what the program needs on disk. Called before each start. */
  readonly prepare?: () => void;
  /** Finds in the output since the start why the process ended; undefined when the output does not say. */
  readonly complaintIn: (output: string) => string | undefined;
}

/** Called with the reason, in the child's words, each time the child answers but is not ready. */
export type OnWaiting = (reason: string | undefined) => void;

/** Names the file that the child's standard output is appended to, so that the child keeps the file small. */
export const LOG_FILE_VARIABLE = 'BIFOLIO_LOG_FILE';

/** Starts a child in its own session, so that it outlives this process and its terminal. A start error becomes an exit. */
export function launchChild(child: ChildProgram, onWaiting: OnWaiting = () => undefined): LaunchedChild {
  try {
    return launched(child, onWaiting);
  } catch (error) {
    return refusedLaunch(explainFailure(error));
  }
}

/** A placeholder for a child that was not started, for the reason in `complaint`. */
export function refusedLaunch(complaint: string): LaunchedChild {
  return {
    pid: undefined,
    isRunning: () => false,
    ready: Promise.resolve(undefined),
    exited: Promise.resolve({ pid: undefined, code: NEVER_STARTED, signal: null, complaint }),
    signal: () => undefined,
  };
}

function launched(child: ChildProgram, onWaiting: OnWaiting): LaunchedChild {
  const { log, program, args, environment, runFile } = child;
  child.prepare?.();
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a', 0o600);
  const logLength = fstatSync(output).size;
  const process_ = spawn(program, args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...environment, [LOG_FILE_VARIABLE]: log },
  });
  closeSync(output);
  const { pid } = process_;
  let failure: string | undefined;
  let endRunFile: (() => void) | undefined;
  try {
    if (pid !== undefined && runFile.url !== undefined)
      endRunFile = keepRunFile(runFile.path, { url: runFile.url }, pid);
  } catch (error) {
    // Nothing would find the process after this one ends.
    failure = explainFailure(error);
    process_.kill('SIGKILL');
  }

  const exited = exitOf(process_, () => failure ?? child.complaintIn(readFrom(log, logLength)));
  let isGone = false;
  void exited.then(() => {
    isGone = true;
    endRunFile?.();
  });
  const start = pid === undefined ? undefined : startOf(pid);
  return {
    pid,
    isRunning: () => pid !== undefined && !isGone && isSameProcess({ pid, ...(start !== undefined && { start }) }),
    exited,
    ready: whenReady(child, pid, onWaiting, () => isGone),
    signal: (signal) => {
      process_.kill(signal);
    },
  };
}

function exitOf(child: ChildProcess, complaint: () => string | undefined): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ pid: child.pid, code, signal, complaint: complaint() });
    });
    child.once('error', (error) => {
      if (child.pid === undefined)
        resolve({ pid: undefined, code: NEVER_STARTED, signal: null, complaint: error.message });
    });
  });
}

export async function whenReady(
  { probe }: Pick<ChildProgram, 'probe'>,
  pid: number | undefined,
  onWaiting: OnWaiting,
  isGone: () => boolean,
): Promise<Pick<RunNote, 'pid' | 'url'> | undefined> {
  while (pid !== undefined && !isGone()) {
    const found = await probe(pid);
    if (found.state === 'ready') return { pid, url: found.url };
    if (found.state === 'waiting') onWaiting(found.reason);
    await delay(found.state === 'waiting' ? ASK_AGAIN_AFTER_MS : LOOK_EVERY_MS);
  }
  return undefined;
}
