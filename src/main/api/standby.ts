import { setTimeout as delay } from 'node:timers/promises';
import type { AppConfig } from '../../config/index.js';
import { COLLECTIONS, SQL_FILES } from '../../modules/stores/index.js';
import { AppError, type Log, type ProcessControl } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../../platform/crash-sites/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import { type DocumentsAhead, WarmDocuments } from '../../platform/documents/index.js';
import { untilPortIsFree } from '../../platform/http/index.js';
import type { RunningServer, Stage } from '../../platform/nodes/index.js';
import { logPort } from '../../platform/observability/index.js';
import { DataDirectoryLock, type LockCandidate, nextTurn, systemTimers } from '../../platform/process/index.js';
import { sqlFileIn, WarmSqlFile } from '../../platform/sql/index.js';
import { type Start, withLock } from './lock.js';
import { documentsIn, openStores } from './open.js';
import { Phases } from './phases.js';
import { rehearse } from './rehearse.js';
import { serve } from './serve.js';
import { SqlAhead } from './sql-ahead.js';
import { serveStandby } from './standby-server.js';

const ATTEMPT_EVERY_MS = 5;
const ATTEMPTS_PER_LOOK = 100;
const LOOK_AT_FILES_EVERY_MS = 250;
const LOOK_AT_DOCUMENTS_EVERY_MS = 100;
const READ_SQL_EVERY_MS = 1_000;
/** After kill -9 with thousands of connections, the port is free some 200 ms later than the lock. */
const PORT_WITHIN_MS = 10_000;

/**
 * Starts like `startApp`, and where another process holds the data directory waits until that process is gone. Meanwhile it answers
 * on STANDBY_PORT and notes itself in `runFile`. Nobody promotes a standby: the lock ends with its holder, and with nothing else.
 */
export async function standBy(start: Start, stage: Stage, runFile: string): Promise<RunningServer> {
  const { config, logger, process } = start;
  const port = standbyPortOf(config);
  const log = logPort(logger);
  const { dataDirectory } = config.storage;
  await new NodeDisk().ensureDirectory(dataDirectory);
  const candidate = DataDirectoryLock.candidate(dataDirectory);
  const free = candidate.attempt();
  if (free !== undefined) return serve(await openStores(withLock(start, free)));

  const whenTaken = untilTaken(candidate, process);
  const warmFiles = new Map(SQL_FILES.map((file) => [file, new WarmSqlFile(sqlFileIn(dataDirectory, file))]));
  const warm = [...warmFiles.values()];
  const endWarming = keepWarm(warm);
  const sql = new SqlAhead(warmFiles);
  const documents = new WarmDocuments(
    { disk: new NodeDisk(), nextTurn, crashSites: NO_CRASH_SITES },
    { directory: documentsIn(dataDirectory), collections: COLLECTIONS },
  );
  const reading = [keepReading(documents, LOOK_AT_DOCUMENTS_EVERY_MS), keepReading(sql, READ_SQL_EVERY_MS)];
  const whenRead = Promise.all(reading.map(({ whenRead }) => whenRead));
  let epoch: number | null = null;
  let isTaken = false;
  let isRehearsed = false;
  const serving = serveStandby({
    ...{ http: config.http, port, logger },
    echo: () => (isTaken ? { role: 'active', state: 'opening', epoch } : { role: 'standby', state: 'waiting', epoch }),
    notReady: () => (isTaken ? 'takes over now' : isRehearsed ? undefined : 'prepares itself'),
  }).then((server) => {
    if (!isTaken) stage.waitAs(runFile, server);
    return server;
  });
  void serving
    .then(() => Promise.all([rehearse(start, () => !isTaken), whenRead]))
    .then(
      () => {
        isRehearsed = true;
      },
      () => undefined,
    );
  // A lock that falls first ends the waiting, whether or not the port is there.
  const { lock, phases } = await Promise.race([whenTaken, serving.then(() => whenTaken)]);
  isTaken = true;
  log.info('the active app has ended: this standby takes over', {});
  const whenPortIsFree = untilPortIsFree(config.http, PORT_WITHIN_MS);
  endWarming();
  for (const { end } of reading) end();
  const ahead = { sqlFiles: warm, documents: whatWasRead(documents, log), sql: sql.take() };
  const stores = await openStores(withLock(start, lock), ahead, phases);
  warm.forEach((file) => {
    file.close();
  });
  epoch = stores.bookstore.database.epoch;
  await phases.during('former port', () => whenPortIsFree);
  const app = await serve(stores);
  void (app.opened ?? Promise.resolve()).then(
    () => {
      log.info(`took over in ${String(phases)}`, { cpuMs: phases.cpuMs });
    },
    () => undefined,
  );
  serving.then(
    (server) => server.close(),
    () => undefined,
  );
  return app;
}

function standbyPortOf({ standby: { port }, http }: AppConfig): number {
  if (port !== undefined && (port === 0 || port !== http.port)) return port;
  const problem =
    port === undefined
      ? 'is off, but --standby needs a port'
      : `must not be ${String(port)}, which is PORT: a standby answers until the app itself listens on PORT`;
  throw new AppError('misconfigured', `STANDBY_PORT ${problem}`, { retry: 'never' });
}

/** Looks until the result is called. */
function keepWarm(files: readonly WarmSqlFile[]): () => void {
  let cancel: () => void;
  const look = (): void => {
    files.forEach((file) => {
      file.look();
    });
    cancel = systemTimers.after(LOOK_AT_FILES_EVERY_MS, look);
  };
  look();
  return () => {
    cancel();
  };
}

/** Looks again and again until `end` is called. `whenRead` resolves when the first look is over. */
function keepReading(
  reader: { look(): Promise<void> },
  everyMs: number,
): { readonly whenRead: Promise<void>; readonly end: () => void } {
  let cancel: () => void = () => undefined;
  let isEnding = false;
  const look = async (): Promise<void> => {
    await reader.look();
    if (isEnding) return;
    cancel = systemTimers.after(everyMs, () => void look());
  };
  const end = (): void => {
    isEnding = true;
    cancel();
  };
  return { whenRead: look(), end };
}

async function whatWasRead(documents: WarmDocuments, log: Log): Promise<DocumentsAhead | undefined> {
  const ahead = await documents.take();
  if (ahead === undefined) {
    log.warn('the documents were not read ahead and are read now', { reason: documents.failure ?? 'no time' });
  }
  return ahead;
}

/**
 * Stops the process when the directory is removed or replaced meanwhile: another app may run in the new one, and this lock would be
 * the one of the old.
 */
async function untilTaken(
  candidate: LockCandidate,
  process: ProcessControl,
): Promise<{ readonly lock: DataDirectoryLock; readonly phases: Phases }> {
  let phases = new Phases();
  for (let attempts = 0; ; attempts += 1) {
    const lock = candidate.attempt();
    if (lock !== undefined || attempts % ATTEMPTS_PER_LOOK === 0) {
      if (!candidate.isInPlace()) {
        process.stop(`${candidate.path} was removed or replaced while this standby waited for it`, undefined);
      }
    }
    if (lock !== undefined) return { lock, phases };
    phases = new Phases();
    await phases.during('lock', () => delay(ATTEMPT_EVERY_MS));
  }
}
