import 'reflect-metadata';
import { renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/index.js';
import { isAppError, type ProcessControl } from '../../kernel/index.js';
import { createLogger } from '../../platform/observability/index.js';
import { startApp } from './app.js';

const STANDARD_ERROR = 2;
const EXIT_CANNOT_START = 1;
const EXIT_PROMISE_BROKEN = 70;
/** What is kept here is nobody else's to read. */
const OWNER_ONLY = 0o077;
const RUN_FILE = 'app.json';

const processControl: ProcessControl = {
  stop: (reason, cause) => {
    say(`stopping at once: ${reason}: ${String(cause)}`);
    process.exit(EXIT_PROMISE_BROKEN);
  },
};

async function main(): Promise<void> {
  process.umask(OWNER_ONLY);
  const config = loadConfig();
  const { logger, flush } = createLogger(config.log.level);
  const app = await startApp(config, logger, processControl);
  const runFile = join(config.storage.dataDirectory, RUN_FILE);
  writeFileSync(`${runFile}.tmp`, JSON.stringify({ pid: process.pid, url: app.url }));
  renameSync(`${runFile}.tmp`, runFile);
  logger.info({ url: app.url, data: config.storage.dataDirectory }, 'ready');

  let isClosing = false;
  const close = (): void => {
    if (isClosing) return;
    isClosing = true;
    app.close().then(
      () => {
        rmSync(runFile, { force: true });
        logger.info('stopped');
        flush();
        process.exit(0);
      },
      (error: unknown) => {
        fail(error);
      },
    );
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

main().catch(fail);
