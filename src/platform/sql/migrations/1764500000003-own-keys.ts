import { sqlMigration } from '../sql-migration.js';

/** The owner of each operation's key, and an index that alone gives the counts per owner at startup. */
export const OwnKeys1764500000003 = sqlMigration('OwnKeys1764500000003', {
  up: [
    'ALTER TABLE operations ADD COLUMN owner TEXT',
    'DROP INDEX operations_by_expiry',
    'CREATE INDEX operations_by_expiry ON operations (expires_at_ms, owner)',
    'CREATE INDEX operations_without_key ON operations (expires_at_ms) WHERE scope IS NULL',
  ],
  down: [
    'DROP INDEX operations_without_key',
    'DROP INDEX operations_by_expiry',
    'CREATE INDEX operations_by_expiry ON operations (expires_at_ms)',
    'ALTER TABLE operations DROP COLUMN owner',
  ],
});
