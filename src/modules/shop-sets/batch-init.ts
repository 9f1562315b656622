import type { OnModuleDestroy } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { AppError, isAppError, type OperationStamp, type Timers } from '../../kernel/index.js';
import type { RecordedAnswer, SqlWriteScope } from '../../platform/sql/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import type { ShopGate } from './shop-gate.js';

/** By name; survive a round trip through JSON. */
export type SetParameters = Readonly<Record<string, number>>;

/** The rows `from` to `to` - 1 of one run. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  /** Rises from run to run of the same rows; at least 1. */
  readonly setNumber: number;
}

/** A table whose rows "0", "1", ... `batch_init` replaces. */
export interface RowSet<Parameters extends SetParameters> {
  /** What the rows are, in the plural. Names the run in the file, so it never changes. */
  readonly rows: string;
  /** How many one commit writes: it must hold the event loop for far less than 100 ms. */
  readonly rowsPerCommit: number;
  /** Inserts these rows, or replaces those that have their ids. Runs inside work of the file's write executor. */
  readonly write: (scope: SqlWriteScope, range: RowRange, parameters: Parameters) => void;
  /** Answers a finished run. */
  readonly answerOf: (rows: string, rowCount: number) => RecordedAnswer;
}

interface Run<Parameters> {
  readonly setNumber: number;
  readonly rowCount: number;
  readonly nextRow: number;
  readonly parameters: Parameters;
  readonly operation: OperationStamp;
}

interface RunRow {
  readonly rows: string;
  readonly setNumber: number;
  readonly rowCount: number;
  readonly nextRow: number;
  readonly parameters: string;
  readonly operation: string;
}

const RETRY_AFTER_MS = 1_000;

/**
 * Replaces many rows in many commits. Invariant: each commit also says which row is next, so a run that was begun is finished, by
 * this process or at the next start, and each row is written by exactly one commit of it. The last commit records the operation.
 */
export class BatchInit<Parameters extends SetParameters> implements OnModuleDestroy {
  private readonly find: Statement<[string], RunRow>;
  private readonly save: Statement<[RunRow]>;
  private isStopping = false;
  private chunk: Promise<unknown> | undefined;

  constructor(
    private readonly file: OpenSqlFile,
    private readonly gate: ShopGate,
    private readonly timers: Timers,
    private readonly set: RowSet<Parameters>,
  ) {
    const { writeHandle } = file.database;
    this.find = writeHandle.prepare(
      `SELECT rows, set_number AS setNumber, row_count AS rowCount, next_row AS nextRow, parameters, operation
       FROM batch_inits WHERE rows = ?`,
    );
    this.save = writeHandle.prepare(
      `INSERT OR REPLACE INTO batch_inits (rows, set_number, row_count, next_row, parameters, operation)
       VALUES (@rows, @setNumber, @rowCount, @nextRow, @parameters, @operation)`,
    );
  }

  /**
   * Begins a new set, and resolves when its rows are durable. Rejects with `conflict`, or with what refused its first commit, and
   * has written nothing; with `outcome-unknown` when the process stops before the end: the next start finishes it.
   */
  async run(rowCount: number, parameters: Parameters, operation: OperationStamp): Promise<RecordedAnswer> {
    const leave = await this.gate.enterBatchInit(this.set.rows);
    try {
      const begun = await this.commit((last) => {
        return { setNumber: (last?.setNumber ?? 0) + 1, rowCount, nextRow: 0, parameters, operation };
      });
      const rest = this.rest(begun, 'outcome-unknown');
      this.file.operations.announce(operation, rest);
      return await rest;
    } finally {
      leave();
    }
  }

  /**
   * Finishes the run that an earlier incarnation began. Call it before any checkout is taken up. Rejects with `shutting-down` when the
   * process stops.
   */
  async finish(): Promise<void> {
    const last = this.lastRun();
    if (last !== undefined && last.nextRow < last.rowCount) await this.rest(last, 'shutting-down');
  }

  /** Resolves when no commit is under way, and none follows. */
  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    await this.chunk?.catch(() => undefined);
  }

  private async rest(
    begun: Run<Parameters> | RecordedAnswer,
    atStop: 'outcome-unknown' | 'shutting-down',
  ): Promise<RecordedAnswer> {
    let reached = begun;
    while ('nextRow' in reached) {
      if (this.isStopping) throw unfinished(this.set.rows, atStop);
      const run = reached;
      reached = await this.commit(() => run).catch(async (error: unknown) => {
        if (!isAppError(error) || error.retry !== 'safe') throw error;
        await new Promise<void>((resolve) => this.timers.after(RETRY_AFTER_MS, resolve));
        return run;
      });
    }
    return reached;
  }

  /** Writes the next rows of a run. Resolves to the run, or to the answer when that was all. */
  private commit(
    runAfter: (last: Run<Parameters> | undefined) => Run<Parameters>,
  ): Promise<Run<Parameters> | RecordedAnswer> {
    const committed = this.file.database.writer.run((scope) => {
      const run = runAfter(this.lastRun());
      const { nextRow: from, rowCount, setNumber, parameters, operation } = run;
      const to = Math.min(from + this.set.rowsPerCommit, rowCount);
      this.set.write(scope, { from, to, setNumber }, parameters);
      this.save.run({
        ...{ rows: this.set.rows, setNumber, rowCount, nextRow: to },
        ...{ parameters: JSON.stringify(parameters), operation: JSON.stringify(operation) },
      });
      if (to < rowCount) return { ...run, nextRow: to };
      const answerOf = (): RecordedAnswer => this.set.answerOf(this.set.rows, rowCount);
      return this.file.operations.record({ operation, answerOf }, undefined);
    });
    this.chunk = committed;
    return committed;
  }

  private lastRun(): Run<Parameters> | undefined {
    const row = this.find.get(this.set.rows);
    return (
      row && {
        ...row,
        parameters: JSON.parse(row.parameters) as Parameters,
        operation: JSON.parse(row.operation) as OperationStamp,
      }
    );
  }
}

function unfinished(rows: string, code: 'outcome-unknown' | 'shutting-down'): AppError {
  const message = `this process stops before all ${rows} are replaced: the next start replaces the rest`;
  return new AppError(code, message, { retry: 'unknown' });
}
