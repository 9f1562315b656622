import { statSync } from 'node:fs';
import { join } from 'node:path';

/** The SQL database of a data directory. Nothing else may name the file, since it is opened through SQLite alone. */
export function bookstoreIn(dataDirectory: string): string {
  return join(dataDirectory, 'bookstore.db');
}

/** The size of the write-ahead log of a database file; 0 when there is none. */
export function logBytesOf(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
