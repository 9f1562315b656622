import { sqlMigration } from '../sql-migration.js';

/** Operations without a key are forgotten in the order of their rows; an index of them cost a page in every commit. */
export const DropIndexWithoutKey1764600000001 = sqlMigration('DropIndexWithoutKey1764600000001', {
  up: ['DROP INDEX operations_without_key'],
  down: ['CREATE INDEX operations_without_key ON operations (expires_at_ms) WHERE scope IS NULL'],
});
