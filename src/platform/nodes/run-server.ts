import { writeSync } from 'node:fs';
import type { Logger } from 'pino';
import { isAppError, type ProcessControl } from '../../kernel/index.js';
import { createLogger } from '../observability/index.js';
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
  readonly logLevel: Parameters<typeof createLogger>[0];
  /** Everything it keeps. */
  readonly directory: string;
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
  run(program).catch(fail);
}

async function run(program: () => ServerProgram): Promise<void> {
  const { logLevel, directory, runFile, settings, ...itself } = program();
  const { logger, flush } = createLogger(logLevel);
  const server = await itself.start(logger, processControl);
  writeRunFile(runFile, { url: server.url, ...(settings && { settings }) });
  logger.info({ url: server.url, data: directory }, 'listening');
  let isClosing = false;
  server.opened?.then(
    () => {
      logger.info('ready');
    },
    (error: unknown) => {
      if (!isClosing && !isAppError(error, 'shutting-down')) fail(error);
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
    }, fail);
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
}

/** Standard error may be a file on a full disk: the process must end all the same. */
function say(line: string): void {
  try {
    writeSync(STANDARD_ERROR, `${line}\n`);
  } catch {
    return;
  }
}

function fail(error: unknown): never {
  say(explain(error));
  process.exit(EXIT_CANNOT_START);
}

/** One line that says what is wrong; the whole error only when it is none of ours. */
function explain(error: unknown): string {
  if (isAppError(error)) return `${error.code}: ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  const isDiskFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  return isDiskFull ? `storage-full: ${error.message}` : String(error.stack);
}
