import { sqlMigration } from '../../platform/sql/index.js';
import { type SealedTable, sealRows, unsealRows } from '../../platform/sql-check/index.js';

export const SEALED_USERS: SealedTable = { table: 'users', columns: ['id', 'firstname', 'lastname'] };

export const SealUsers1764500000012 = sqlMigration('SealUsers1764500000012', {
  up: [(runner) => sealRows(runner, SEALED_USERS)],
  down: [(runner) => unsealRows(runner, SEALED_USERS)],
});
