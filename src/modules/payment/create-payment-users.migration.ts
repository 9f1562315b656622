import { sqlMigration } from '../../platform/sql/index.js';
import { type SealedTable, sealRows } from '../../platform/sql-check/index.js';

export const SEALED_PAYMENT_USERS: SealedTable = {
  table: 'payment_users',
  columns: ['id', 'credit', 'held', 'charged', 'funded', 'set_number'],
  key: ['id'],
};

/** Each row itself keeps what is promised of money. All amounts are in the smallest unit. */
export const CreatePaymentUsers1764800000001 = sqlMigration('CreatePaymentUsers1764800000001', {
  up: [
    `CREATE TABLE payment_users (
      id TEXT PRIMARY KEY NOT NULL,
      credit INTEGER NOT NULL CHECK (credit >= 0),
      held INTEGER NOT NULL CHECK (held >= 0),
      charged INTEGER NOT NULL CHECK (charged >= 0),
      funded INTEGER NOT NULL,
      set_number INTEGER NOT NULL,
      CHECK (credit + held + charged = funded)
    ) STRICT, WITHOUT ROWID`,
    (runner) => sealRows(runner, SEALED_PAYMENT_USERS),
  ],
  down: ['DROP TABLE payment_users'],
});
