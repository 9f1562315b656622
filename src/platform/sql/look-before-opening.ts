import { statSync } from 'node:fs';
import { basename } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { ACCEPT_LOSS, AppError } from '../../kernel/index.js';
import { logBytesOf } from './bookstore-file.js';
import { COMMITS, isWitnessed } from './commit-count.js';
import { type CommitPosition, witnessOf } from './commit-witness.js';
import { refusalToOpen } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';

const BUSY_TIMEOUT_MS = 250;

/** Describes a file that is another database, or has fewer commits than were acknowledged. */
export interface MissingCommits {
  readonly file: string;
  /** States in words what is expected and what is found. */
  readonly message: string;
}

/**
 * Examines a database without changing it or its log, so that a refused start leaves both untouched. Throws `data-corrupt` when a
 * log was left by a kill and the two together are damaged. With `isContinued`, which `WarmSqlFile` tells, it does not look for that:
 * nobody put another copy in the place of one of the two. The check of the whole file soon after the start still finds other damage.
 */
export function lookBeforeOpening(
  file: string,
  known: CommitPosition | undefined,
  isContinued = false,
): MissingCommits | undefined {
  if (sizeOf(file) === 0)
    return known && missing(file, known, statSync(file, { throwIfNoEntry: false }) ? 'is empty' : 'does not exist');
  let handle: SqlHandle | undefined;
  try {
    handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    if (logBytesOf(file) > 0 && !isContinued) assertSound(handle, file);
    if (known === undefined) return lacksWitness(handle) ? { file, message: withoutWitness(file) } : undefined;
    const found = whatIsMissing(handle, known);
    return found === undefined ? undefined : missing(file, known, found);
  } catch (error) {
    throw refusalToOpen(error, file);
  } finally {
    handle?.close();
  }
}

/** Adds the advice on what a person may do. */
export function refusalFor({ message }: MissingCommits): AppError {
  const wayOut =
    'Put the right copy back with its own -wal, and no other -wal beside it; if the missing commits are lost for good, ' +
    `accept the loss with ${ACCEPT_LOSS}. Nothing was changed`;
  return new AppError('recovery-needed', `${message} ${wayOut}`, { retry: 'never' });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * SQLite plays the write-ahead log of a killed process into whatever file has the name. If that is another copy, put there
 * without removing the log, the result is neither of the two.
 */
export function assertSound(handle: SqlHandle, file: string): void {
  const found = handle.prepare<[], string>('PRAGMA quick_check(1)').pluck().get();
  if (found === 'ok') return;
  const wayOut = `put a copy in its place, without ${basename(file)}-wal and ${basename(file)}-shm beside it`;
  throw new AppError('data-corrupt', `${file}: ${String(found)}; ${wayOut}`, { retry: 'never' });
}

function missing(file: string, { count }: CommitPosition, found: string): MissingCommits {
  return {
    file,
    message: `${file} ${found}, but ${witnessOf(file)} records ${String(count)} durable commits.`,
  };
}

function withoutWitness(file: string): string {
  return `${file} may lack durable commits: ${witnessOf(file)}, which counts them, is missing or unreadable.`;
}

function lacksWitness(handle: SqlHandle): boolean {
  return hasTables(handle) && isWitnessed(handle);
}

function hasTables(handle: SqlHandle): boolean {
  const tables = handle.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  return ['meta', 'generations', 'lives'].every((table) => tables.includes(table));
}

/** The position according to the file itself; undefined before its first commit. */
export function positionOf(file: string): CommitPosition | undefined {
  if (sizeOf(file) === 0) return undefined;
  let handle: SqlHandle | undefined;
  try {
    handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    return hasTables(handle) ? positionIn(handle) : undefined;
  } catch (error) {
    throw refusalToOpen(error, file);
  } finally {
    handle?.close();
  }
}

export function positionIn(handle: SqlHandle): CommitPosition | undefined {
  return handle
    .prepare<[string], CommitPosition>(
      `SELECT database_id AS databaseId, generation AS count,
         (SELECT id FROM lives ORDER BY began_at_ms DESC LIMIT 1) AS incarnation
       FROM meta, generations WHERE table_name = ?`,
    )
    .get(COMMITS);
}

/** Describes the missing commits; undefined when none is missing. */
export function whatIsMissing(handle: SqlHandle, known: CommitPosition): string | undefined {
  if (!hasTables(handle)) return 'is older than its first commit';
  if (handle.prepare('SELECT database_id FROM meta').pluck().get() !== known.databaseId) return 'is another database';
  const count = positionIn(handle)?.count ?? 0;
  if (count < known.count) return `has ${String(count)} commits`;
  const isOfThatIncarnation = handle.prepare('SELECT id FROM lives WHERE id = ?').get(known.incarnation) !== undefined;
  return isOfThatIncarnation ? undefined : `is a copy with a different history (${String(count)} commits)`;
}
