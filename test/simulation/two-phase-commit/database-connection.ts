import { AppError } from '../../../src/kernel/index.js';
import type {
  Decision,
  DecisionDetails,
  DecisionRow,
  LastResource,
  Acknowledgement,
  TransactionId,
} from '../../../src/protocols/two-phase-commit/index.js';
import type { SimulatedDatabase, SqlWork } from './simulated-database.js';
import type { SimulatedIncarnation } from './simulated-incarnation.js';

type Acknowledgements = Readonly<Record<string, Acknowledgement>>;

const DEFERRED_MS = 1_000;
const KEPT_MS = 24 * 3_600_000;
const READ_MS = 0.2;

/** The database as one incarnation of the process has it open. All its answers are durable. */
export class DatabaseConnection implements LastResource<SqlWork, string> {
  readonly id: string;
  readonly incarnation: number;
  /** Known completions that are not durable yet. */
  private readonly waiting = new Map<
    TransactionId,
    { readonly completedAtMs: number; readonly acknowledgements: Acknowledgements }
  >();
  private isDeferred = false;

  /** `mayForget`: see `SqlTransactionTable`. */
  constructor(
    private readonly database: SimulatedDatabase,
    private readonly owner: SimulatedIncarnation,
    private readonly mayForget: (acknowledgements: Acknowledgements) => boolean,
    private readonly mustStop: () => void,
  ) {
    this.id = database.id;
    this.incarnation = database.beginIncarnation();
  }

  knowsIncarnation(incarnation: number): boolean {
    return this.database.incarnations.has(incarnation);
  }

  commit(details: DecisionDetails, work: SqlWork): ReturnType<LastResource<SqlWork, string>['commit']> {
    return this.write(() => {
      const { database } = this;
      const before = database.rows.get(details.id)?.decision;
      if (before === 'aborted') return { decision: 'aborted' } as const;
      if (before === 'committed') throw conflict(`${details.id} was committed before`);
      const table = database[work.table];
      if (table.has(work.key)) throw conflict(`there is a row with the key ${work.key} in ${work.table}`);
      table.set(work.key, details.id);
      database.write(details, 'committed', this.owner.clock.nowMs());
      database.watcher.businessRowWritten(work, details.id);
      return { decision: 'committed', result: work.key } as const;
    });
  }

  abort(details: readonly DecisionDetails[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    return this.write(
      () => new Map(details.map((one) => [one.id, this.database.write(one, 'aborted', this.owner.clock.nowMs())])),
    );
  }

  decide(details: DecisionDetails, decision: Decision): Promise<Decision> {
    return this.write(() => this.database.write(details, decision, this.owner.clock.nowMs()));
  }

  decisions(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    return this.read(() => {
      const found = new Map<TransactionId, Decision>();
      for (const id of ids) {
        const decision = this.database.rows.get(id)?.decision;
        if (decision !== undefined) found.set(id, decision);
      }
      return found;
    });
  }

  incomplete(): Promise<readonly DecisionRow[]> {
    return this.read(() =>
      [...this.database.rows.values()].filter(
        ({ id, completedAtMs }) => completedAtMs === undefined && !this.waiting.has(id),
      ),
    );
  }

  completed(id: TransactionId, acknowledgements: Acknowledgements): void {
    if (!this.owner.isAlive || this.waiting.has(id)) return;
    this.waiting.set(id, { completedAtMs: this.owner.clock.nowMs(), acknowledgements });
    if (this.isDeferred) return;
    this.isDeferred = true;
    this.owner.after(DEFERRED_MS, () => {
      this.isDeferred = false;
      if (this.waiting.size > 0) void this.write(() => undefined).catch(() => undefined);
    });
  }

  private read<T>(look: () => T): Promise<T> {
    return this.owner.promise((resolve) => {
      this.owner.after(READ_MS, () => {
        resolve(look());
      });
    });
  }

  /** Runs one commit; if `work` throws, nothing is written. The commit happens even after the end of this incarnation. */
  private write<T>(work: () => T): Promise<T> {
    return this.owner.promise((resolve, reject) => {
      const attempt = (): void => {
        try {
          const result = work();
          if (!this.owner.isAlive) this.database.watcher.landedLate();
          this.writeCompletions();
          resolve(result);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          reject(error);
        }
      };
      this.database.commit((fate) => {
        if (fate === 'refused') reject(this.database.refusal());
        else if (fate === 'done') attempt();
        else this.lose(attempt, reject);
      });
    });
  }

  /** The outcome is unknown to the caller; the process must end and reads the decision at its next start. */
  private lose(attempt: () => void, reject: (error: Error) => void): void {
    reject(new AppError('outcome-unknown', 'the commit may or may not be done', { retry: 'unknown' }));
    this.database.settleLater(attempt);
    if (this.owner.isAlive) this.mustStop();
  }

  private writeCompletions(): void {
    const { rows, watcher, kind } = this.database;
    if (!this.owner.isAlive) return;
    for (const [id, completion] of this.waiting) {
      const row = rows.get(id);
      if (row && row.completedAtMs === undefined) rows.set(id, { ...row, ...completion });
    }
    this.waiting.clear();
    // A commit may hang for longer than a row is kept, so this database forgets nothing.
    if (kind === 'server') return;
    const olderThanMs = this.owner.clock.nowMs() - KEPT_MS;
    for (const { id, completedAtMs, decidedAtMs, acknowledgements } of rows.values()) {
      if (decidedAtMs >= olderThanMs) break;
      if (completedAtMs === undefined || !this.mayForget(acknowledgements ?? {})) continue;
      rows.delete(id);
      watcher.rowForgotten(id);
    }
  }
}

function conflict(what: string): AppError {
  return new AppError('conflict', what, { retry: 'never' });
}
