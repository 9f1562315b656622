import { sqlMigration } from '../../../platform/sql/index.js';

/**
 * An index of the outbox cost one more page in every commit. Instead, `delivered_below` says where the pending rows begin, and only
 * the parked ones, which are few, have an index.
 */
export const MarkDelivered1764900000001 = sqlMigration('MarkDelivered1764900000001', {
  up: [
    'ALTER TABLE saga_retention ADD COLUMN delivered_below INTEGER NOT NULL DEFAULT 0',
    'DROP INDEX saga_outbox',
    `CREATE INDEX saga_parked ON saga_steps (saga_number) WHERE delivery = 'parked'`,
  ],
  down: [
    'DROP INDEX saga_parked',
    `CREATE INDEX saga_outbox ON saga_steps (saga_number) WHERE delivery IN ('pending', 'parked')`,
    'ALTER TABLE saga_retention DROP COLUMN delivered_below',
  ],
});
