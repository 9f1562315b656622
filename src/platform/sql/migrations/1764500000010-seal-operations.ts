import { sqlMigration } from '../sql-migration.js';
import { type SealedTable, sealRows, unsealRows } from '../../sql-check/index.js';

export const SEALED_OPERATIONS: SealedTable = {
  table: 'operations',
  columns: ['id', 'body_hmac', 'at_ms', 'status', 'headers', 'body'],
};

export const SealOperations1764500000010 = sqlMigration('SealOperations1764500000010', {
  up: [(runner) => sealRows(runner, SEALED_OPERATIONS)],
  down: [(runner) => unsealRows(runner, SEALED_OPERATIONS)],
});
