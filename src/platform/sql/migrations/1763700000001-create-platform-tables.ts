import { sqlMigration } from '../sql-migration.js';

/** Identity and epoch of the file, generations of its tables, and the operations that wrote to it. */
export const CreatePlatformTables1763700000001 = sqlMigration('CreatePlatformTables1763700000001', {
  up: [
    `CREATE TABLE meta (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      database_id TEXT NOT NULL,
      epoch INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE generations (
      table_name TEXT PRIMARY KEY,
      generation INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE operations (
      id TEXT NOT NULL UNIQUE,
      scope TEXT UNIQUE,
      body_hmac TEXT,
      at_ms INTEGER NOT NULL,
      expires_at_ms INTEGER NOT NULL,
      status INTEGER NOT NULL,
      headers TEXT NOT NULL,
      body TEXT
    ) STRICT`,
    'CREATE INDEX operations_by_expiry ON operations (expires_at_ms)',
  ],
  down: ['DROP TABLE operations', 'DROP TABLE generations', 'DROP TABLE meta'],
});
