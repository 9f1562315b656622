import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Decisions on transactions over several stores: who writes the row of a transaction first has decided it. */
export class CreateTransactions1763700000003 implements MigrationInterface {
  name = 'CreateTransactions1763700000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE transactions (
      id TEXT PRIMARY KEY,
      decision TEXT NOT NULL CHECK (decision IN ('committed', 'aborted')),
      kind TEXT NOT NULL,
      decided_by TEXT NOT NULL,
      era INTEGER NOT NULL,
      "by" TEXT NOT NULL,
      reason TEXT,
      operation_id TEXT,
      begun_at_ms INTEGER NOT NULL,
      prepared_at_ms INTEGER NOT NULL,
      decided_at_ms INTEGER NOT NULL,
      places TEXT NOT NULL,
      completed_at_ms INTEGER,
      receipts TEXT
    ) STRICT, WITHOUT ROWID`);
    await runner.query(
      'CREATE INDEX transactions_by_operation ON transactions (operation_id) WHERE operation_id IS NOT NULL',
    );
    await runner.query('CREATE INDEX transactions_incomplete ON transactions (id) WHERE completed_at_ms IS NULL');
    await runner.query("CREATE INDEX transactions_aborted ON transactions (id) WHERE decision = 'aborted'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE transactions');
  }
}
