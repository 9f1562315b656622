import { sqlMigration } from '../../platform/sql/index.js';

/** One row per table that `batch_init` fills: its last run, which has ended when `next_row` has reached `row_count`. */
export const CreateBatchInits1764800000004 = sqlMigration('CreateBatchInits1764800000004', {
  up: [
    `CREATE TABLE batch_inits (
      rows TEXT PRIMARY KEY NOT NULL,
      set_number INTEGER NOT NULL,
      row_count INTEGER NOT NULL,
      next_row INTEGER NOT NULL CHECK (next_row BETWEEN 0 AND row_count),
      parameters TEXT NOT NULL,
      operation TEXT NOT NULL
    ) STRICT`,
  ],
  down: ['DROP TABLE batch_inits'],
});
