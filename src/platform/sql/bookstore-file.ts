import { statSync } from 'node:fs';
import { join } from 'node:path';

/** An SQL database of the data directory. */
export interface SqlFile {
  /** The name without an extension: only code that opens the file through SQLite uses it. */
  readonly name: string;
  /** The name in `/health/ready`, followed by `-write` or `-read`. */
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
