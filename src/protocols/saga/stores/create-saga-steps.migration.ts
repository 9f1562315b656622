import { sqlMigration } from '../../../platform/sql/index.js';
import { type SealedTable, sealRows } from '../../../platform/sql-check/index.js';

const SEALED_SAGA_STEPS: SealedTable = {
  table: 'saga_steps',
  key: ['saga_number', 'step'],
  columns: ['saga_number', 'step', 'saga_id', 'event_in', 'event', 'data', 'at_ms', 'set_number'],
};

/**
 * The step rows of one participant. A row is the inbox mark of the event that came in and, until that is delivered, the outbox row
 * of the event that went out, so that neither is ever written without the other.
 */
export const CreateSagaSteps1764800000001 = sqlMigration('CreateSagaSteps1764800000001', {
  up: [
    `CREATE TABLE saga_steps (
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
      PRIMARY KEY (saga_number, step)
    ) STRICT, WITHOUT ROWID`,
    (runner) => sealRows(runner, SEALED_SAGA_STEPS),
    `CREATE INDEX saga_outbox ON saga_steps (saga_number) WHERE delivery IN ('pending', 'parked')`,
    'CREATE TABLE saga_retention (id INTEGER PRIMARY KEY CHECK (id = 1), pruned_below INTEGER NOT NULL) STRICT',
    'INSERT INTO saga_retention (id, pruned_below) VALUES (1, 0)',
  ],
  down: ['DROP TABLE saga_retention', 'DROP TABLE saga_steps'],
});
