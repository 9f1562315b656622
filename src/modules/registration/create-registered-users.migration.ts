import { sqlMigration } from '../../platform/sql/index.js';
import { type SealedTable, sealRows } from '../../platform/sql-check/index.js';

export const SEALED_REGISTERED_USERS: SealedTable = {
  table: 'registered_users',
  columns: ['id', 'email', 'account', 'password_hash', 'at_ms'],
  key: ['id'],
};

/** `account` is the e-mail in the form in which two are compared: the table itself keeps it unique. */
export const CreateRegisteredUsers1764800000020 = sqlMigration('CreateRegisteredUsers1764800000020', {
  up: [
    `CREATE TABLE registered_users (
      id TEXT PRIMARY KEY NOT NULL,
      email TEXT NOT NULL,
      account TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    (runner) => sealRows(runner, SEALED_REGISTERED_USERS),
  ],
  down: ['DROP TABLE registered_users'],
});
