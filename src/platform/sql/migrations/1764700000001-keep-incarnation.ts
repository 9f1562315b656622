import { sqlMigration } from '../sql-migration.js';

/** The incarnation of the process that writes; part of every cache key. Null until the next start takes its epoch. */
export const KeepIncarnation1764700000001 = sqlMigration('KeepIncarnation1764700000001', {
  up: ['ALTER TABLE meta ADD COLUMN incarnation INTEGER'],
  down: ['ALTER TABLE meta DROP COLUMN incarnation'],
});
