import { EntitySchema, type MigrationInterface, type QueryRunner, Table, type ValueTransformer } from 'typeorm';
import { decodedAcknowledgements, encodedAcknowledgements } from '../../../platform/sql/index.js';
import type { Acknowledgements, Decision, DecisionDetails, DecisionRow } from '../ports.js';

export interface StoredDecision {
  readonly id: string;
  readonly decision: Decision;
  readonly kind: string;
  readonly decidedBy: string;
  readonly incarnation: number;
  readonly by: DecisionDetails['by'];
  readonly reason: string | null;
  readonly operationId: string | null;
  readonly begunAtMs: number;
  readonly preparedAtMs: number;
  readonly decidedAtMs: number;
  readonly positions: Readonly<Record<string, string>>;
  readonly completedAtMs: number | null;
  /** Keyed by participant. The type is plain, because TypeORM's own types do not terminate on a recursive type. */
  readonly acknowledgements: object | null;
}

/** The database itself, in one row. `id` is made with the row and never changes. */
export interface StoredDatabase {
  readonly key: number;
  readonly id: string;
}

export interface StoredIncarnation {
  readonly id: number;
  readonly beganAtMs: number;
}

/** PostgreSQL and MySQL return 64-bit integers as text. */
const toNumber: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: number | string | null) => (value === null ? null : Number(value)),
};

const toAcknowledgements: ValueTransformer = {
  to: (value: Acknowledgements | null) => value && encodedAcknowledgements(value),
  from: (value: string | null) => value && decodedAcknowledgements(value),
};

const DECISIONS = 'transaction_decisions';
const DATABASE = 'transaction_database';
const LIVES = 'transaction_lives';
const ID_LENGTH = 64;

export const StoredDecisionEntity = new EntitySchema<StoredDecision>({
  name: 'StoredDecision',
  tableName: DECISIONS,
  columns: {
    id: { type: 'varchar', length: ID_LENGTH, primary: true },
    decision: { type: 'varchar', length: 16 },
    kind: { type: 'varchar', length: 255 },
    decidedBy: { type: 'varchar', length: ID_LENGTH, name: 'decided_by' },
    incarnation: { type: 'bigint', name: 'life', transformer: toNumber },
    by: { type: 'varchar', length: 16, name: 'asked_by' },
    reason: { type: 'text', nullable: true },
    operationId: { type: 'varchar', length: ID_LENGTH, name: 'operation_id', nullable: true },
    begunAtMs: { type: 'bigint', name: 'begun_at_ms', transformer: toNumber },
    preparedAtMs: { type: 'bigint', name: 'prepared_at_ms', transformer: toNumber },
    decidedAtMs: { type: 'bigint', name: 'decided_at_ms', transformer: toNumber },
    positions: { type: 'simple-json', name: 'places' },
    completedAtMs: { type: 'bigint', name: 'completed_at_ms', nullable: true, transformer: toNumber },
    acknowledgements: { type: 'text', name: 'receipts', nullable: true, transformer: toAcknowledgements },
  },
  indices: [{ name: 'transaction_decisions_by_completion', columns: ['completedAtMs'] }],
});

export const StoredDatabaseEntity = new EntitySchema<StoredDatabase>({
  name: 'StoredDatabase',
  tableName: DATABASE,
  columns: {
    key: { type: 'int', primary: true },
    id: { type: 'varchar', length: ID_LENGTH },
  },
});

export const StoredIncarnationEntity = new EntitySchema<StoredIncarnation>({
  name: 'StoredLife',
  tableName: LIVES,
  columns: {
    id: { type: 'bigint', primary: true, transformer: toNumber },
    beganAtMs: { type: 'bigint', name: 'began_at_ms', transformer: toNumber },
  },
});

/** For the `entities` of the DataSource that decides. */
export const TRANSACTION_ENTITIES = [StoredDecisionEntity, StoredDatabaseEntity, StoredIncarnationEntity] as const;

const column = (
  name: string,
  type: string,
  more: { length?: string; isNullable?: boolean; isPrimary?: boolean } = {},
) => ({ name, type, ...more }) as const;
const text = (name: string, length: number, more = {}) => column(name, 'varchar', { length: String(length), ...more });

/** For the `migrations` of that DataSource. */
export class CreateTransactionsTable1763700000004 implements MigrationInterface {
  name = 'CreateTransactionsTable1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    const isPrimary = true;
    const isNullable = true;
    await runner.createTable(
      new Table({
        name: DECISIONS,
        columns: [
          text('id', ID_LENGTH, { isPrimary }),
          ...[text('decision', 16), text('kind', 255), text('decided_by', ID_LENGTH)],
          ...[column('life', 'bigint'), text('asked_by', 16), column('reason', 'text', { isNullable })],
          text('operation_id', ID_LENGTH, { isNullable }),
          ...['begun_at_ms', 'prepared_at_ms', 'decided_at_ms'].map((name) => column(name, 'bigint')),
          ...[column('places', 'text'), column('completed_at_ms', 'bigint', { isNullable })],
          column('receipts', 'text', { isNullable }),
        ],
        indices: [{ name: 'transaction_decisions_by_completion', columnNames: ['completed_at_ms'] }],
      }),
    );
    await runner.createTable(
      new Table({
        name: DATABASE,
        columns: [column('key', 'integer', { isPrimary }), text('id', ID_LENGTH)],
      }),
    );
    await runner.createTable(
      new Table({ name: LIVES, columns: [column('id', 'bigint', { isPrimary }), column('began_at_ms', 'bigint')] }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(LIVES);
    await runner.dropTable(DATABASE);
    await runner.dropTable(DECISIONS);
  }
}

export function storedOf(details: DecisionDetails, decision: Decision, decidedAtMs: number): StoredDecision {
  const { id, kind, decidedBy, incarnation, by, begunAtMs, preparedAtMs, positions } = details;
  const { reason = null, operationId = null } = details;
  return {
    ...{ id, decision, kind, decidedBy, incarnation, by, reason, operationId },
    ...{ begunAtMs, preparedAtMs, decidedAtMs, positions, completedAtMs: null, acknowledgements: null },
  };
}

export function decisionRowOf(stored: StoredDecision): DecisionRow {
  const { reason, operationId, completedAtMs, acknowledgements, ...rest } = stored;
  return {
    ...rest,
    ...(reason !== null && { reason }),
    ...(operationId !== null && { operationId }),
    ...(completedAtMs !== null && {
      completedAtMs,
      acknowledgements: (acknowledgements ?? {}) as Acknowledgements,
    }),
  };
}
