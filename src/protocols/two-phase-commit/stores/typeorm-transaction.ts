import { type EntityManager, type QueryRunner, QueryRunnerAlreadyReleasedError } from 'typeorm';
import type { Connected, DecidingConnection } from './typeorm-connections.js';
import { StatementGate } from './typeorm-gate.js';
import { refusalOf } from './typeorm-refusals.js';

/** TypeORM's count of open transactions on a runner, nested ones included. */
interface Depth {
  readonly transactionDepth: number;
}

/**
 * One transaction on a connection of its own. Its manager serves only that transaction. A call that comes too late, ends the
 * transaction or would run outside of it is refused, and then the transaction is never committed.
 */
export class DecidingTransaction {
  private underWay = 0;
  private nested = 0;

  private constructor(
    private readonly runner: QueryRunner,
    private readonly connection: DecidingConnection,
    private readonly gate: StatementGate,
  ) {}

  static async begin(connected: Connected): Promise<DecidingTransaction> {
    const { runner } = connected;
    const gate = new StatementGate();
    const transaction = new DecidingTransaction(runner, connected.connect(gate), gate);
    try {
      await runner.startTransaction();
    } catch (error) {
      await transaction.rollBack();
      throw error;
    }
    transaction.guard();
    return transaction;
  }

  get manager(): EntityManager {
    return this.runner.manager;
  }

  /** Whether the outcome of a sent COMMIT is still open. */
  get isUncertain(): boolean {
    return this.gate.progress === 'asked';
  }

  get isCommitted(): boolean {
    return this.gate.progress === 'committed';
  }

  /** Throws when it would not be committed, or not as `decide` meant it. */
  assertWhole(): void {
    if (this.underWay > 0) throw this.gate.breakUp('`decide` has ended before a statement of its own');
    this.gate.assertWhole();
    // TypeORM releases a runner whose connection breaks.
    if (this.runner.isReleased) throw refusalOf(new QueryRunnerAlreadyReleasedError());
    if (!this.connection.canCommit()) throw this.gate.endedByFailure();
    const { transactionDepth } = this.runner as unknown as Depth;
    if (transactionDepth !== 1) throw this.gate.breakUp('`decide` has left a nested transaction open');
  }

  /** Runs `check`, which reads the transaction's own rows, and rejects with what has ended the transaction before. */
  async check(check: (manager: EntityManager) => Promise<void>): Promise<void> {
    this.assertWhole();
    await check(this.manager).catch((error: unknown) => {
      throw this.gate.reasonFor(error);
    });
  }

  async commit(): Promise<void> {
    this.assertWhole();
    this.gate.startCommit();
    await this.runner.commitTransaction();
    if (!this.isCommitted) throw this.gate.endedByFailure();
  }

  /** Ends the transaction unless it is committed, and releases the connection. Never rejects. */
  async rollBack(): Promise<void> {
    if (!this.isCommitted) {
      this.gate.startRollBack();
      // TypeORM notifies its subscribers. When it has lost track of the transaction, the connection has not.
      await this.runner.rollbackTransaction().catch(() => undefined);
      await this.connection.rollBack().catch(() => undefined);
    }
    await this.connection.release();
  }

  private guard(): void {
    const { runner, gate } = this;
    const query = runner.query.bind(runner) as (...values: unknown[]) => Promise<unknown>;
    runner.connect = () => Promise.resolve(this.connection.guarded);
    runner.query = async (...values: unknown[]): Promise<never> => {
      this.underWay += 1;
      try {
        return (await query(...values)) as never;
      } finally {
        this.underWay -= 1;
      }
    };
    runner.release = () => Promise.reject(gate.breakUp('`decide` must not release the connection of its transaction'));
    this.nestOneAtATime(runner.manager, 0);
  }

  /**
   * TypeORM numbers nested transactions by how many are open. When two run side by side and one fails, it rolls back to the
   * savepoint of the other and keeps its own rows. So each opens only inside the innermost open one.
   */
  private nestOneAtATime(manager: EntityManager, level: number): void {
    const open = manager.transaction.bind(manager) as (...values: unknown[]) => Promise<unknown>;
    const transaction = async (...values: unknown[]): Promise<unknown> => {
      const work = values.pop() as (manager: EntityManager) => Promise<unknown>;
      if (this.nested !== level) {
        throw this.gate.breakUp('nested transactions come one after the other, each by the manager of its own level');
      }
      this.nested += 1;
      try {
        return await open(...values, () => work(this.managerAt(level + 1)));
      } finally {
        this.nested -= 1;
      }
    };
    manager.transaction = transaction;
  }

  private managerAt(level: number): EntityManager {
    const manager = this.runner.dataSource.createEntityManager(this.runner);
    this.nestOneAtATime(manager, level);
    return manager;
  }
}
