import { sqlMigration } from '../sql-migration.js';

/** Only operations with a key are looked up by expiry; the others lie in the order of time, and their entries cost a page per commit. */
export const IndexKeysOnly1764600000002 = sqlMigration('IndexKeysOnly1764600000002', {
  up: [
    "UPDATE operations SET owner = '' WHERE scope IS NOT NULL AND owner IS NULL",
    'DROP INDEX operations_by_expiry',
    // The condition names a column of the index, so that counting the keys at a start reads the index alone.
    'CREATE INDEX operations_by_expiry ON operations (expires_at_ms, owner) WHERE owner IS NOT NULL',
  ],
  down: ['DROP INDEX operations_by_expiry', 'CREATE INDEX operations_by_expiry ON operations (expires_at_ms, owner)'],
});
