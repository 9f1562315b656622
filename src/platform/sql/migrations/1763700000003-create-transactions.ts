import { sqlMigration } from '../sql-migration.js';

/** Decisions on transactions over several stores (the first writer of a row decides), and the incarnations of this file. */
export const CreateTransactions1763700000003 = sqlMigration('CreateTransactions1763700000003', {
  up: [
    `CREATE TABLE transactions (
      id TEXT PRIMARY KEY,
      decision TEXT NOT NULL CHECK (decision IN ('committed', 'aborted')),
      kind TEXT NOT NULL,
      decided_by TEXT NOT NULL,
      life INTEGER NOT NULL,
      "by" TEXT NOT NULL,
      reason TEXT,
      operation_id TEXT,
      begun_at_ms INTEGER NOT NULL,
      prepared_at_ms INTEGER NOT NULL,
      decided_at_ms INTEGER NOT NULL,
      places TEXT NOT NULL,
      completed_at_ms INTEGER,
      receipts TEXT
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX transactions_by_operation ON transactions (operation_id) WHERE operation_id IS NOT NULL',
    'CREATE INDEX transactions_incomplete ON transactions (id) WHERE completed_at_ms IS NULL',
    "CREATE INDEX transactions_aborted ON transactions (id) WHERE decision = 'aborted'",
    // There may be millions, and counting them would block all other work.
    `CREATE TABLE transaction_counts (
      decision TEXT PRIMARY KEY,
      count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    "INSERT INTO transaction_counts (decision, count) VALUES ('committed', 0), ('aborted', 0)",
    `CREATE TABLE lives (
      id INTEGER PRIMARY KEY,
      began_at_ms INTEGER NOT NULL
    ) STRICT`,
    `CREATE TRIGGER transaction_inserted AFTER INSERT ON transactions BEGIN
      UPDATE transaction_counts SET count = count + 1 WHERE decision = NEW.decision;
    END`,
    `CREATE TRIGGER transaction_deleted AFTER DELETE ON transactions BEGIN
      UPDATE transaction_counts SET count = count - 1 WHERE decision = OLD.decision;
    END`,
  ],
  down: ['DROP TABLE transactions', 'DROP TABLE transaction_counts', 'DROP TABLE lives'],
});
