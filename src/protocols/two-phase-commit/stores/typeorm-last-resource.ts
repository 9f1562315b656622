import { type DataSource, type EntityManager, In, IsNull, LessThan } from 'typeorm';
import { AppError, type Clock, type Log, type Random, type Timers } from '../../../kernel/index.js';
import { systemClock, systemRandom, systemTimers } from '../../../platform/process/index.js';
import type { Decision, DecisionDetails, DecisionRow, LastResource, Acknowledgement, TransactionId } from '../ports.js';
import { beginIncarnation, refuseForgetfulDatabase, refuseSilentClient } from './typeorm-database.js';
import { decisionRowOf, StoredDecisionEntity, StoredIncarnationEntity, storedOf } from './typeorm-entities.js';
import { isUndoneBySqlite, outcomeUnknown, refusalOf } from './typeorm-refusals.js';
import { CommitFailed, TypeOrmTransactions } from './typeorm-transactions.js';

/**
 * The business rows of a transaction, written only through `manager`, inside the database transaction that decides. A rejection
 * aborts the transaction. A statement whose error is swallowed belongs into a `manager.transaction(...)` of its own, never two at
 * once; on PostgreSQL an error swallowed outside of it makes the database refuse everything.
 */
export type TypeOrmWork = (manager: EntityManager, transaction: { readonly id: TransactionId }) => Promise<unknown>;

export interface TypeOrmLastResourcePorts {
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timers?: Timers;
}

const ROWS_PER_STATEMENT = 500;
const COMPLETED_AT_MOST_MS = 1_000;
const DURABILITY = 'synchronous_commit';

type Committed = { readonly decision: 'committed'; readonly result: unknown } | { readonly decision: 'aborted' };
type Acknowledgements = Readonly<Record<string, Acknowledgement>>;

/**
 * The database of a TypeORM DataSource of type `better-sqlite3` or `postgres` as the last resource. The DataSource needs
 * `TRANSACTION_ENTITIES` among its entities and their tables, which `CreateTransactionsTable1763700000004` makes.
 *
 * On SQLite TypeORM has one connection per DataSource. Work runs one after the other; meanwhile other writes through that
 * DataSource are refused, and reads through it see uncommitted data. The rest of the program needs its own DataSource.
 *
 * Invariant: a COMMIT is sent only while the transaction that wrote the row `committed` is open and nothing has broken it.
 *
 * Only `outcome-unknown` leaves open whether a call has written. Any other refusal is definite:
 * - the error came before the COMMIT was sent; or
 * - SQLite refused the COMMIT as busy or for lack of space, and a second read does not find the row; or
 * - PostgreSQL answered it with ROLLBACK; or
 * - PostgreSQL refused it or did not answer, and a row `aborted` under the same key is durable since.
 */
export class TypeOrmLastResource implements LastResource<TypeOrmWork, unknown> {
  private readonly waiting = new Map<
    TransactionId,
    { readonly completedAtMs: number; readonly acknowledgements: Acknowledgements }
  >();
  private cancelTimer: (() => void) | undefined;
  private isClosed = false;

  private constructor(
    private readonly transactions: TypeOrmTransactions,
    private readonly ports: Required<TypeOrmLastResourcePorts>,
    readonly id: string,
    readonly incarnation: number,
  ) {}

  /**
   * Begins an incarnation of the database, durable when it resolves. `dataSource` is initialised and has its tables. Rejects with
   * `misconfigured` when the database would answer a COMMIT before it is on disk.
   */
  static async open(dataSource: DataSource, ports: TypeOrmLastResourcePorts): Promise<TypeOrmLastResource> {
    const all = { clock: systemClock, random: systemRandom, timers: systemTimers, ...ports };
    const transactions = TypeOrmTransactions.of(dataSource);
    await refuseSilentClient(dataSource);
    await refuseForgetfulDatabase(dataSource);
    const { id, incarnation } = await beginIncarnation(transactions, all);
    return new TypeOrmLastResource(transactions, all, id, incarnation);
  }

  /** Remembers the last 10,000 incarnations. */
  knowsIncarnation(incarnation: number): Promise<boolean> {
    return this.transactions.read((manager) => manager.existsBy(StoredIncarnationEntity, { id: incarnation }));
  }

  /** Rejects with `conflict` and writes nothing when the row says `committed` already. */
  async commit(details: DecisionDetails, work: TypeOrmWork): Promise<Committed> {
    const done: { isFirst: boolean; result: unknown } = { isFirst: false, result: undefined };
    try {
      await this.transactions.run(
        async (manager) => {
          await manager.insert(StoredDecisionEntity, storedOf(details, 'committed', this.ports.clock.nowMs()));
          done.isFirst = true;
          done.result = await work(manager, details);
        },
        (manager) => assertDecided(manager, details.id),
        this.ports.log,
      );
      return { decision: 'committed', result: done.result };
    } catch (error) {
      if (error instanceof CommitFailed) return this.afterFailedCommit(details, error.cause, done.result);
      if (done.isFirst) throw refusalOf(error);
      return this.afterFailedRow(details.id, error);
    }
  }

  async abort(details: readonly DecisionDetails[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    return this.decideAll(details, 'aborted');
  }

  async decide(details: DecisionDetails, decision: Decision): Promise<Decision> {
    return (await this.decideAll([details], decision)).get(details.id) ?? decision;
  }

  async decisions(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    const found = new Map<TransactionId, Decision>();
    for (const some of inPieces(ids)) {
      const where = { id: In([...some]) };
      const rows = await this.transactions.read((manager) =>
        manager.find(StoredDecisionEntity, { where, select: { id: true, decision: true } }),
      );
      for (const { id, decision } of rows) found.set(id, decision);
    }
    return found;
  }

  async incomplete(): Promise<readonly DecisionRow[]> {
    const rows = await this.transactions.read((manager) =>
      manager.find(StoredDecisionEntity, { where: { completedAtMs: IsNull() }, order: { id: 'ASC' } }),
    );
    return rows.filter(({ id }) => !this.waiting.has(id)).map(decisionRowOf);
  }

  /** Durable within a second, or when this is closed; all completions of that second share one commit. */
  completed(id: TransactionId, acknowledgements: Acknowledgements): void {
    if (this.waiting.has(id)) return;
    this.waiting.set(id, { completedAtMs: this.ports.clock.nowMs(), acknowledgements });
    this.armTimer();
  }

  /**
   * Deletes the rows of completed transactions that were decided before that time, and nothing else; returns how many. Use it
   * only for decisions that no participant can lose, not even by restoring a backup: recovery aborts an in-doubt transaction
   * without a row. No participant may name them in `carriedOut` either: a commit without its row refuses the next start.
   */
  async forgetCompleted(decidedBeforeMs: number): Promise<number> {
    const { affected } = await this.transactions.run((manager) =>
      manager
        .createQueryBuilder()
        .delete()
        .from(StoredDecisionEntity)
        .where({ decidedAtMs: LessThan(decidedBeforeMs) })
        .andWhere('completed_at_ms IS NOT NULL')
        .execute(),
    );
    return affected ?? 0;
  }

  /** Makes pending completions durable. The DataSource stays open; its owner closes it. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.cancelTimer?.();
    await this.writeCompletions();
  }

  /** This call has written nothing, so an existing row gives the answer. */
  private async afterFailedRow(id: TransactionId, error: unknown): Promise<Committed> {
    const decision = await this.decisionOf(id).catch(() => undefined);
    if (decision === 'aborted') return { decision };
    if (decision === undefined) throw refusalOf(error);
    throw new AppError('conflict', `transaction ${id} was committed before`, { retry: 'never', cause: error });
  }

  private async afterFailedCommit(details: DecisionDetails, error: unknown, result: unknown): Promise<Committed> {
    const decision = await this.decisionAfterFailedCommit(details, error).catch(() => {
      throw outcomeUnknown(error);
    });
    if (decision === 'committed') return { decision, result };
    throw refusalOf(error);
  }

  /** Rejects when the decision cannot be known. */
  private async decisionAfterFailedCommit(details: DecisionDetails, error: unknown): Promise<Decision> {
    if (!this.transactions.isEmbedded) {
      // The server may still run the COMMIT. Either the COMMIT or this row comes first.
      return this.decide({ ...details, reason: 'the COMMIT failed' }, 'aborted');
    }
    if (!isUndoneBySqlite(error)) throw error;
    return (await this.decisionOf(details.id)) ?? 'aborted';
  }

  private async decisionOf(id: TransactionId): Promise<Decision | undefined> {
    return (await this.decisions([id])).get(id);
  }

  /** When another process writes one of the rows meanwhile, it begins again with the rows that are then missing. */
  private async decideAll(
    details: readonly DecisionDetails[],
    decision: Decision,
  ): Promise<ReadonlyMap<TransactionId, Decision>> {
    // All writers use one order, so that two writers of the same rows do not deadlock.
    const all = [...new Map(details.map((one) => [one.id, one])).values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const ids = all.map(({ id }) => id);
    let known = await this.decisions(ids);
    while (known.size < all.length) {
      const missing = all.filter(({ id }) => !known.has(id));
      const error = await this.insert(missing, decision);
      if (error === undefined) return new Map([...known, ...missing.map(({ id }) => [id, decision] as const)]);
      const before = known.size;
      known = await this.decisions(ids);
      if (known.size === before) throw this.refusalOfInsert(error);
    }
    return known;
  }

  private async insert(details: readonly DecisionDetails[], decision: Decision): Promise<unknown> {
    const rows = details.map((one) => storedOf(one, decision, this.ports.clock.nowMs()));
    try {
      await this.transactions.run(async (manager) => {
        for (const some of inPieces(rows)) await manager.insert(StoredDecisionEntity, [...some]);
      });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  private refusalOfInsert(error: unknown): unknown {
    if (!(error instanceof CommitFailed)) return refusalOf(error);
    const isUndone = this.transactions.isEmbedded && isUndoneBySqlite(error.cause);
    return isUndone ? refusalOf(error.cause) : outcomeUnknown(error.cause);
  }

  private armTimer(): void {
    if (this.isClosed) return;
    this.cancelTimer ??= this.ports.timers.after(COMPLETED_AT_MOST_MS, () => {
      void this.writeCompletions().finally(() => {
        this.cancelTimer = undefined;
        if (this.waiting.size > 0) this.armTimer();
      });
    });
  }

  private async writeCompletions(): Promise<void> {
    const written = [...this.waiting];
    if (written.length === 0) return;
    try {
      await this.transactions.run(async (manager) => {
        for (const [id, completion] of written) {
          await manager.update(StoredDecisionEntity, { id, completedAtMs: IsNull() }, completion);
        }
      });
      for (const [id] of written) this.waiting.delete(id);
    } catch (error) {
      // Recovery completes them again after a restart.
      this.ports.log.warn('completed transactions could not be recorded yet', { error });
    }
  }
}

/** Checks, in the transaction that wrote the row, that the row exists and will be durable. */
async function assertDecided(manager: EntityManager, id: TransactionId): Promise<void> {
  const query = manager.createQueryBuilder(StoredDecisionEntity, 'row').select('row.id', 'id');
  if (manager.dataSource.options.type === 'postgres') query.addSelect(`current_setting('${DURABILITY}')`, 'durability');
  const found = await query
    .where({ id, decision: 'committed' })
    .getRawOne<{ readonly id: string; readonly durability?: string }>();
  if (found && found.durability !== 'off') return;
  const what = found ? `set ${DURABILITY} to off` : 'removed the row of its own decision';
  throw new AppError('internal', `\`decide\` has ${what}; nothing was written`, { retry: 'never' });
}

function* inPieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += ROWS_PER_STATEMENT) yield all.slice(from, from + ROWS_PER_STATEMENT);
}
