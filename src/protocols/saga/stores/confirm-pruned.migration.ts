import { sqlMigration } from '../../../platform/sql/index.js';

/** Only the file that starts sagas uses it: an older copy of another file is noticed when its rows since then are pruned. */
export const ConfirmPruned1765000000001 = sqlMigration('ConfirmPruned1765000000001', {
  up: ['ALTER TABLE saga_retention ADD COLUMN confirmed_below INTEGER NOT NULL DEFAULT 0'],
  down: ['ALTER TABLE saga_retention DROP COLUMN confirmed_below'],
});
