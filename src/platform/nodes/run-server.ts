import { chmodSync, statSync, writeSync } from 'node:fs';
import type { Logger } from 'pino';
import { isAppError, type ProcessControl } from '../../kernel/index.js';
import { createLogger, type LoggerOptions } from '../observability/index.js';
import { explainFailure, type NamedDirectory } from './explain-failure.js';
import { removeRunFile, writeRunFile } from './run-file.js';

export interface RunningServer {
  /** Where it listens, `http://host:port`. */
  readonly url: string;
  /** Resolves when it does all that it is for; rejects when it never will, which ends the process. Absent: it does. */
  readonly opened?: Promise<void>;
  /** Stops accepting, finishes what is under way, makes everything durable, gives back what it holds. */
  close(): Promise<void>;
}

export interface ServerProgram {
  readonly log: LoggerOptions;
  /** Everything it keeps. */
  readonly directory: string;
  /** For the line that says why it cannot start: whichever it is about. */
  readonly namedDirectories?: readonly NamedDirectory[];
  /** Written as soon as it listens, removed when it has stopped cleanly. */
  readonly runFile: string;
  /** Noted in the run file, so that others can see with which it runs. */
  readonly settings?: Readonly<Record<string, string>>;
  start(logger: Logger, processControl: ProcessControl): Promise<RunningServer>;
}

const STANDARD_ERROR = 2;
const EXIT_CANNOT_START = 1;
const EXIT_PROMISE_BROKEN = 70;
/** What is kept here is nobody else's to read. */
const OWNER_ONLY = 0o077;
/** As of /tmp. */
const STICKY = 0o1000;

const processControl: ProcessControl = {
  stop: (reason, cause) => {
    say(`stopping at once: ${reason}${cause instanceof Error ? `: ${String(cause)}` : ''}`);
    process.exit(EXIT_PROMISE_BROKEN);
  },
};

/**
 * A server as the whole of this process: it says where it is, stops cleanly on SIGTERM and SIGINT, and ends with one
 * line on standard error and exit code 1 when it cannot start.
 */
export function runServer(program: () => ServerProgram): void {
  process.umask(OWNER_ONLY);
  let itself: ServerProgram;
  try {
    itself = program();
  } catch (error) {
    fail(explainFailure(error));
  }
  const giveUp = (error: unknown): never => fail(explainFailure(error, itself.namedDirectories));
  run(itself, giveUp).catch(giveUp);
}

async function run(
  { log, directory, runFile, settings, ...itself }: ServerProgram,
  giveUp: (error: unknown) => never,
): Promise<void> {
  const { logger, flush } = createLogger(log);
  const server = await itself.start(logger, processControl);
  keepPrivate(directory);
  writeRunFile(runFile, { url: server.url, ...(settings && { settings }) });
  logger.info({ url: server.url, data: directory }, 'listening');
  let isClosing = false;
  server.opened?.then(
    () => {
      logger.info('ready');
    },
    (error: unknown) => {
      if (!isClosing && !isAppError(error, 'shutting-down')) giveUp(error);
    },
  );

  const close = (): void => {
    if (isClosing) return;
    isClosing = true;
    server.close().then(() => {
      removeRunFile(runFile);
      logger.info('stopped');
      flush();
      process.exit(0);
    }, giveUp);
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}

/** One that an earlier version or a person made may be open to others. A directory that is shared by design stays as it is. */
function keepPrivate(directory: string): void {
  const { mode, uid } = statSync(directory);
  const isOurs = uid === process.getuid?.() && (mode & STICKY) === 0;
  if (isOurs && (mode & OWNER_ONLY) !== 0) chmodSync(directory, mode & ~OWNER_ONLY);
}

/** Standard error may be a file on a full disk: the process must end all the same. */
function say(line: string): void {
  try {
    writeSync(STANDARD_ERROR, `${line}\n`);
  } catch {
    return;
  }
}

function fail(line: string): never {
  say(line);
  process.exit(EXIT_CANNOT_START);
}
