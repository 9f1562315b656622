import { sqlMigration } from '../../platform/sql/index.js';
import { type SealedTable, sealRows } from '../../platform/sql-check/index.js';

export const SEALED_ORDERS: SealedTable = {
  table: 'orders',
  columns: ['id', 'user_id', 'state', 'saga_number', 'lines', 'set_number'],
};

/** `saga_number` is that of the checkout that holds the order or has paid it. `lines` is JSON: `[[item, quantity, price], ...]`. */
export const CreateOrders1764800000004 = sqlMigration('CreateOrders1764800000004', {
  up: [
    `CREATE TABLE orders (
      id TEXT PRIMARY KEY NOT NULL,
      user_id TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'checking-out', 'paid')),
      saga_number INTEGER,
      lines TEXT NOT NULL,
      set_number INTEGER NOT NULL,
      CHECK ((state = 'open') = (saga_number IS NULL))
    ) STRICT`,
    (runner) => sealRows(runner, SEALED_ORDERS),
  ],
  down: ['DROP TABLE orders'],
});
