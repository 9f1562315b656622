import { sqlMigration } from '../../../platform/sql/index.js';
import { type SealedTable, sealRows } from '../../../platform/sql-check/index.js';

export const SEALED_SAGAS: SealedTable = {
  table: 'sagas',
  columns: [
    ...['id', 'order_id', 'user_id', 'lines', 'total', 'state', 'reason'],
    ...['scope', 'body_hmac', 'owner', 'started_at_ms', 'ended_at_ms'],
  ],
};

/**
 * The number is that of the saga's first step row. AUTOINCREMENT would change one more page in each commit. A saga row is also
 * the record of its operation: `id` is the operation's id, and `scope` to `owner` are its stamp.
 */
export const CreateSagas1764800000005 = sqlMigration('CreateSagas1764800000005', {
  up: [
    `CREATE TABLE sagas (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      order_id TEXT NOT NULL,
      user_id TEXT NOT NULL,
      lines TEXT NOT NULL,
      total INTEGER NOT NULL CHECK (total >= 0),
      state TEXT NOT NULL CHECK (state IN ('running', 'completed', 'refused', 'superseded')),
      reason TEXT,
      scope TEXT,
      body_hmac TEXT,
      owner TEXT,
      started_at_ms INTEGER NOT NULL,
      ended_at_ms INTEGER,
      CHECK ((state = 'running') = (ended_at_ms IS NULL))
    ) STRICT`,
    'CREATE INDEX saga_scopes ON sagas (scope) WHERE scope IS NOT NULL',
    "CREATE INDEX sagas_running ON sagas (id) WHERE state = 'running'",
    (runner) => sealRows(runner, SEALED_SAGAS),
  ],
  down: ['DROP TABLE sagas'],
});
