import { join } from 'node:path';

/** The SQL database of a data directory. Nothing else may name the file, since it is opened through SQLite alone. */
export function bookstoreIn(dataDirectory: string): string {
  return join(dataDirectory, 'bookstore.db');
}
