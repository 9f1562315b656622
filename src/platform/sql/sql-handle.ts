import type { Database } from 'better-sqlite3';

/** One open connection to one SQLite file. Synchronous: a statement has taken effect when the call returns. */
export type SqlHandle = Database;
