import { sqlMigration } from '../../../platform/sql/index.js';
import { type SealedTable, watchColumns } from '../../../platform/sql-check/index.js';

export const SEALED_SAGA_STEPS: SealedTable = {
  table: 'saga_steps',
  columns: ['saga_number', 'step', 'saga_id', 'event_in', 'event', 'data', 'at_ms', 'set_number'],
};

/** The rows of saga n in one file have the keys from n * 16 on, in the order in which they were written. */
export const ROWS_PER_SAGA = 16;

const COLUMNS = [...SEALED_SAGA_STEPS.columns, 'delivery', 'attempts', 'next_at_ms', 'seal'].join(', ');
const TYPED = `
  saga_number INTEGER NOT NULL,
  step TEXT NOT NULL,
  saga_id TEXT NOT NULL,
  event_in TEXT,
  event TEXT NOT NULL,
  data TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  set_number INTEGER NOT NULL,
  delivery TEXT NOT NULL CHECK (delivery IN ('pending', 'parked', 'delivered', 'superseded', 'end')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at_ms INTEGER NOT NULL DEFAULT 0,
  seal INTEGER`;

/**
 * With an integer key SQLite appends a step to the last page and begins a new one when that is full. With the key of two columns it
 * spread the rows over three or four pages then, and kept whole rows in the inner pages.
 */
export const AppendSagaSteps1765200000001 = sqlMigration('AppendSagaSteps1765200000001', {
  up: [
    'ALTER TABLE saga_steps RENAME TO former_saga_steps',
    `CREATE TABLE saga_steps (
      id INTEGER PRIMARY KEY,
      ${TYPED},
      CHECK (id / ${String(ROWS_PER_SAGA)} = saga_number)
    ) STRICT`,
    `INSERT INTO saga_steps (id, ${COLUMNS})
       SELECT saga_number * ${String(ROWS_PER_SAGA)} - 1
         + row_number() OVER (PARTITION BY saga_number ORDER BY event_in IS NOT NULL, at_ms, step), ${COLUMNS}
       FROM former_saga_steps ORDER BY 1`,
    'DROP TABLE former_saga_steps',
    (runner) => watchColumns(runner, SEALED_SAGA_STEPS),
    "CREATE INDEX saga_parked ON saga_steps (id) WHERE delivery = 'parked'",
  ],
  down: [
    'ALTER TABLE saga_steps RENAME TO later_saga_steps',
    `CREATE TABLE saga_steps (${TYPED}, PRIMARY KEY (saga_number, step)) STRICT, WITHOUT ROWID`,
    `INSERT INTO saga_steps (${COLUMNS}) SELECT ${COLUMNS} FROM later_saga_steps`,
    'DROP TABLE later_saga_steps',
    (runner) => watchColumns(runner, { ...SEALED_SAGA_STEPS, key: ['saga_number', 'step'] }),
    "CREATE INDEX saga_parked ON saga_steps (saga_number) WHERE delivery = 'parked'",
  ],
});
