import BetterSqlite3 from 'better-sqlite3';
import { closeSync, openSync, writeSync } from 'node:fs';

/** Where the header of an SQLite file says which version may write it; a higher one than SQLite's own: read only. */
const WRITE_VERSION_OFFSET = 18;
const WAL = 2;
const OF_THE_FUTURE = 3;

/** Another program's write transaction on a database that the app has open. Ends when the returned function is called. */
export function holdWriteLock(file: string): () => void {
  const database = new BetterSqlite3(file);
  database.pragma('busy_timeout = 30000');
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}

/** From its next write on, whoever has the file open is told SQLITE_READONLY, until it opens the file again. */
export function makeReadOnly(file: string): void {
  setWriteVersion(file, OF_THE_FUTURE);
}

/** For those who open it from now on. */
export function makeWritable(file: string): void {
  setWriteVersion(file, WAL);
}

/** The ids of the rows that say nothing of a completion. Of a database that nobody has open. */
export function transactionsNotCarriedOut(file: string): readonly unknown[] {
  const database = new BetterSqlite3(file);
  try {
    return database.prepare('SELECT id FROM transactions WHERE completed_at_ms IS NULL').pluck().all();
  } finally {
    database.close();
  }
}

/** How many transactions have a row that a recovery wrote. Of a database that nobody has open. */
export function transactionsDecidedByRecovery(file: string): number {
  const database = new BetterSqlite3(file);
  try {
    return Number(database.prepare(`SELECT count(*) FROM transactions WHERE "by" = 'recovery'`).pluck().get());
  } finally {
    database.close();
  }
}

/** As a version left it that had neither transactions nor users. Of a database that nobody has open. */
export function withoutTransactions(file: string): void {
  const database = new BetterSqlite3(file);
  database.exec(`DROP TABLE transactions; DROP TABLE transaction_counts; DROP TABLE lives; DROP TABLE users;
    DELETE FROM migrations WHERE name LIKE 'CreateTransactions%' OR name LIKE 'CreateUsers%' OR name LIKE 'SealUsers%'`);
  database.close();
}

function setWriteVersion(file: string, version: number): void {
  const database = new BetterSqlite3(file);
  database.pragma('busy_timeout = 30000');
  // All that is committed goes into the file itself, so that its first page is the one that counts; the second time
  // tells those who have it open that they know it no longer.
  database.pragma('wal_checkpoint(TRUNCATE)');
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Uint8Array.of(version), 0, 1, WRITE_VERSION_OFFSET);
  closeSync(descriptor);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}
