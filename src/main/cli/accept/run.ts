import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../config/index.js';
import { AppError, type Log, type ProcessControl } from '../../../kernel/index.js';
import { COLLECTIONS } from '../../../modules/stores/index.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { DataFiles } from '../../../platform/data-files/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { DocumentStore } from '../../../platform/documents/index.js';
import { monotonicMs, nextTurn, systemClock, systemRandom, systemTimers } from '../../../platform/process/index.js';
import { bookstoreIn, SqlDatabase, SqlTransactionTable, tablesMissingIn } from '../../../platform/sql/index.js';
import { DocumentParticipant, SqliteLastResource } from '../../../protocols/two-phase-commit/index.js';
import { withUnused } from '../lock-unused.js';
import { lookingAt } from '../looking-disk.js';
import { reasonOf } from '../reason.js';
import type { CommandOutput } from '../command-output.js';
import { accept } from './accept.js';
import { acceptMessage } from './messages.js';

/** A database without these tables was last opened by a version without transactions, or never. */
const TABLES = ['meta', 'lives', 'transactions'];

/**
 * `npm run transactions:accept`: the way out when a start is refused because the database or the documents lack transactions that
 * the other has committed. Changes nothing else. Throws an AppError that names any obstacle.
 */
export async function acceptTransactions(text: string): Promise<CommandOutput> {
  const { storage } = loadConfig();
  const reason = reasonOf(text);
  const file = bookstoreIn(storage.dataDirectory);
  if (!existsSync(file)) throw nothingIn(file);
  return withUnused(storage.dataDirectory, () => acceptIn(storage.dataDirectory, file, reason));
}

async function acceptIn(dataDirectory: string, file: string, reason: string): Promise<CommandOutput> {
  if (tablesMissingIn(file, TABLES).length > 0) throw notUpgraded(file);
  const ports = {
    ...{
      disk: lookingAt(new NodeDisk()),
      clock: systemClock,
      monotonicMs,
      random: systemRandom,
      timers: systemTimers,
      nextTurn,
    },
    ...{ crashSites: NO_CRASH_SITES, log: SILENT, process: NOTHING_TO_STOP, files: new DataFiles(SILENT) },
  };
  const sql = await SqlDatabase.open(ports, { file, entities: [], migrations: [] });
  const documents = await DocumentStore.open(ports, {
    directory: join(dataDirectory, 'documents'),
    collections: COLLECTIONS,
    snapshotEveryBytes: Number.MAX_SAFE_INTEGER,
    journalReserveBytes: 0,
  });
  try {
    const table = new SqlTransactionTable(sql, ports, () => false);
    const lastResource = new SqliteLastResource(sql, table);
    const participants = [new DocumentParticipant(documents, NOBODY_PROMISES, { prepareDeadlineMs: 0 })];
    return acceptMessage(await accept({ participants, lastResource, table, clock: systemClock }, reason), reason);
  } finally {
    await documents.close();
    await sql.close();
  }
}

function nothingIn(file: string): AppError {
  return new AppError(
    'not-found',
    `${file} does not exist: run "npm start", which creates it and reports what it lacks`,
    {
      retry: 'never',
    },
  );
}

/** A normal start may be all that is needed, because nothing is known to be lost. */
function notUpgraded(file: string): AppError {
  const message =
    `${file} comes from a version without transactions: run "npm start", which upgrades it, and run this command again ` +
    'only if that start is refused; nothing was changed';
  return new AppError('not-ready', message, { retry: 'safe' });
}

const NOBODY_PROMISES = {
  admit: () => undefined,
  confirm: () => Promise.resolve({ isConfirmed: false }),
};
const SILENT: Log = { info: () => undefined, warn: () => undefined };
/** A failing disk shows as an error here. */
const NOTHING_TO_STOP: ProcessControl = { stop: () => undefined };
