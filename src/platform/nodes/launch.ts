import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { complaintIn, readFrom } from './complaint.js';
import { explainFailure } from './explain-failure.js';
import { getJson, type JsonAnswer } from './http-json.js';
import type { NodeFiles } from './file-layout.js';
import { readRunFile, type RunNote } from './run-file.js';

const LOOK_EVERY_MS = 15;
/** One that answers is up and waits for others: it has better things to do than to say so. */
const ASK_AGAIN_AFTER_MS = 100;
const ANSWER_WITHIN_MS = 2_000;
const NEVER_STARTED = -1;

/** How a child ended. Neither code nor signal is known of one that was adopted. */
export interface ChildExit {
  readonly pid: number | undefined;
  /** Null when a signal ended it, or when it is not known. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The line in which it said why; undefined when it said nothing. */
  readonly complaint: string | undefined;
}

/** One started child. */
export interface LaunchedChild {
  /** Resolves with its address once it answers that it is ready; with undefined when it ended before that. */
  readonly ready: Promise<RunNote | undefined>;
  /** Resolves when the process is gone. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** No error when it is gone. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ChildProgram {
  readonly places: NodeFiles;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Sent when asking whether it is ready; undefined where no key is needed. */
  readonly apiKey: string | undefined;
  /** Hears what it waits for, in its own words, each time that it says it is not ready. */
  readonly onNotReady: (detail: string | undefined) => void;
}

/** Tells a child which file its standard output is appended to, so that it keeps that small. */
export const LOG_FILE_VARIABLE = 'BIFOLIO_LOG_FILE';

/**
 * Starts a child in a session of its own, both outputs appended to its log, so that it outlives this process, its
 * terminal and a Ctrl-C there. Errors of starting it appear as an exit.
 */
export function launchChild(child: ChildProgram): LaunchedChild {
  try {
    return launched(child);
  } catch (error) {
    return refusedLaunch(explainFailure(error));
  }
}

/** A child that was never started, for that reason. */
export function refusedLaunch(complaint: string): LaunchedChild {
  return {
    ready: Promise.resolve(undefined),
    exited: Promise.resolve({ pid: undefined, code: NEVER_STARTED, signal: null, complaint }),
    signal: () => undefined,
  };
}

function launched(child: ChildProgram): LaunchedChild {
  const { places, program, args, environment } = child;
  mkdirSync(dirname(places.log), { recursive: true });
  const log = openSync(places.log, 'a', 0o600);
  const logLength = fstatSync(log).size;
  const process_ = spawn(process.execPath, [program, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...environment, [LOG_FILE_VARIABLE]: places.log },
  });
  closeSync(log);

  const exited = exitOf(process_, () => complaintIn(readFrom(places.log, logLength)));
  let isGone = false;
  void exited.then(() => (isGone = true));
  return {
    exited,
    ready: whenReady(child, process_.pid, () => isGone),
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
  { places, apiKey, onNotReady }: Pick<ChildProgram, 'places' | 'apiKey' | 'onNotReady'>,
  pid: number | undefined,
  isGone: () => boolean,
): Promise<RunNote | undefined> {
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  while (!isGone()) {
    const note = readRunFile(places.runFile);
    if (note?.pid === pid && note !== undefined) {
      const answer = await getJson(new URL('/health/ready', note.url).href, { timeoutMs: ANSWER_WITHIN_MS, headers });
      if (answer?.status === 200) return note;
      onNotReady(detailOf(answer));
      await delay(ASK_AGAIN_AFTER_MS);
    } else {
      await delay(LOOK_EVERY_MS);
    }
  }
  return undefined;
}

/** Of a problem document (RFC 9457). */
function detailOf(answer: JsonAnswer | undefined): string | undefined {
  const { detail } = (answer?.body ?? {}) as { readonly detail?: unknown };
  return typeof detail === 'string' ? detail : undefined;
}
