import type { Statement } from 'better-sqlite3';
import type { SqlHandle } from '../../../platform/sql/index.js';
import type { ComparedFile, ComparedRow } from '../shell/compare-files.js';
import { ROWS_PER_SAGA } from './append-saga-steps.migration.js';

type Row = Omit<ComparedRow, 'by' | 'eventIn'> & { readonly eventIn: string | null };

/** The step rows of one participant, only read, as they are compared with those of the others. */
export class SqlComparedFile implements ComparedFile {
  private readonly readPoint: Statement<[], number>;
  private readonly readConfirmed: Statement<[], number>;
  private readonly readHighest: Statement<[], number>;
  private readonly readBetween: Statement<[number, number], Row>;

  /** Throws when the file has no such table yet. */
  constructor(
    readonly participant: string,
    handle: SqlHandle,
  ) {
    this.readPoint = handle.prepare<[], number>('SELECT pruned_below FROM saga_retention').pluck();
    this.readConfirmed = handle.prepare<[], number>('SELECT confirmed_below FROM saga_retention').pluck();
    const rows = String(ROWS_PER_SAGA);
    this.readHighest = handle.prepare<[], number>(`SELECT coalesce(max(id) / ${rows}, 0) FROM saga_steps`).pluck();
    this.readBetween = handle.prepare(
      `SELECT saga_number AS number, saga_id AS sagaId, step, event_in AS eventIn, event, delivery
       FROM saga_steps WHERE id >= ${rows} * ? AND id < ${rows} * ?`,
    );
  }

  get prunedBelow(): number {
    return this.readPoint.get() ?? 0;
  }

  get confirmedBelow(): number {
    return this.readConfirmed.get() ?? 0;
  }

  get highestNumber(): number {
    return this.readHighest.get() ?? 0;
  }

  rowsBetween(from: number, to: number): readonly ComparedRow[] {
    const by = this.participant;
    return this.readBetween.all(from, to).map((row) => ({ ...row, by, eventIn: row.eventIn ?? undefined }));
  }
}
