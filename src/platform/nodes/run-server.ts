import { chmodSync, statSync, writeSync } from 'node:fs';
import type { Logger } from 'pino';
import { isAppError, type ProcessControl } from '../../kernel/index.js';
import { createLogger, type LoggerOptions } from '../observability/index.js';
import { explainFailure, type NamedDirectory } from './explain-failure.js';
import { keepRunFile } from './run-file.js';

export interface RunningServer {
  /** The address that it listens on, `http://host:port`. */
  readonly url: string;
  /** Resolves when it is fully open; rejects when it never will be, which ends the process. Absent: it already is. */
  readonly opened?: Promise<void>;
  /** Stops accepting, finishes work under way, makes everything durable, and releases its resources. */
  close(): Promise<void>;
}

/** What a process is before its start is over. */
export interface Stage {
  /**
   * Until the start is over, `runFile` notes this process at the server's address, and SIGTERM and SIGINT close the server and end
   * the process with code 0. Call it once.
   */
  waitAs(runFile: string, server: RunningServer): void;
}

export interface ServerProgram {
  readonly log: LoggerOptions;
  readonly directory: string;
  /** Directories for the line that says why it cannot start. */
  readonly namedDirectories?: readonly NamedDirectory[];
  /** Written as soon as it listens, removed when it has stopped cleanly. */
  readonly runFile: string;
  /** Written to the run file, so that others can see the settings in use. */
  readonly settings?: Readonly<Record<string, string>>;
  start(logger: Logger, processControl: ProcessControl, stage: Stage): Promise<RunningServer>;
}

const STANDARD_ERROR = 2;
const EXIT_CANNOT_START = 1;
const EXIT_PROMISE_BROKEN = 70;
const ALIVE_MS = 60_000;
/** The data here is private to the owner. */
const OWNER_ONLY = 0o077;
/** The sticky bit, which /tmp has. */
const STICKY = 0o1000;

const processControl: ProcessControl = {
  stop: (reason, cause) => {
    say(`stopping at once: ${reason}${cause instanceof Error ? `: ${String(cause)}` : ''}`);
    process.exit(EXIT_PROMISE_BROKEN);
  },
};

/**
 * Runs a server as this process: prints its address, stops cleanly on SIGTERM and SIGINT, and exits with 1 and one line on
 * standard error when it cannot start.
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
  let isClosing = false;
  /** Others find the process by `path`, and may ask it to stop, until the result is called. */
  const present = (path: string, presented: RunningServer): (() => void) => {
    const stop = (): void => {
      if (isClosing) return;
      isClosing = true;
      presented.close().then(() => {
        endRunFile();
        logger.info('stopped');
        flush();
        process.exit(0);
      }, giveUp);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
    const endRunFile = keepRunFile(path, { url: presented.url, ...(settings && { settings }) });
    return () => {
      process.off('SIGTERM', stop).off('SIGINT', stop);
      endRunFile();
    };
  };
  let endWaiting: (() => void) | undefined;
  const stage: Stage = {
    waitAs: (path, waiting) => {
      endWaiting = present(path, waiting);
      logger.info({ url: waiting.url, data: directory }, 'waiting');
    },
  };
  const server = await keptAlive(itself.start(logger, processControl, stage));
  keepPrivate(directory);
  logger.info({ url: server.url, data: directory }, 'listening');
  server.opened?.then(
    () => {
      logger.info('ready');
    },
    (error: unknown) => {
      if (!isClosing && !isAppError(error, 'shutting-down')) giveUp(error);
    },
  );

  present(runFile, server);
  endWaiting?.();
}

/** A start that waits for a timer alone would end the process, because timers do not keep it alive. */
async function keptAlive<T>(start: Promise<T>): Promise<T> {
  const alive = setInterval(() => undefined, ALIVE_MS);
  return start.finally(() => {
    clearInterval(alive);
  });
}

/** A directory from an earlier version or a person may be open to others. Directories shared by design stay unchanged. */
function keepPrivate(directory: string): void {
  const { mode, uid } = statSync(directory);
  const isOurs = uid === process.getuid?.() && (mode & STICKY) === 0;
  if (isOurs && (mode & OWNER_ONLY) !== 0) chmodSync(directory, mode & ~OWNER_ONLY);
}

/** Standard error may be a file on a full disk, and the process must still end. */
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
