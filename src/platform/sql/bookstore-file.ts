import { statSync } from 'node:fs';
import { join } from 'node:path';

/** An SQL database of the data directory. */
export interface SqlFile {
  /** Without its ending: only what opens the file through SQLite names it. */
  readonly name: string;
  /** In `/health/ready`, with `-write` and `-read` behind it. */
  readonly healthPart: string;
}

/** The last resource of all transactions. */
export const BOOKSTORE: SqlFile = { name: 'bookstore', healthPart: 'sql' };

export function sqlFileIn(dataDirectory: string, { name }: Pick<SqlFile, 'name'>): string {
  return join(dataDirectory, `${name}.db`);
}

export function bookstoreIn(dataDirectory: string): string {
  return sqlFileIn(dataDirectory, BOOKSTORE);
}

/** The size of the write-ahead log of a database file; 0 when there is none. */
export function logBytesOf(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
