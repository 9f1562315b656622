import type { DataSource, EntityManager } from 'typeorm';
import { AppError, type Log } from '../../../kernel/index.js';
import { type Connected, PostgresConnections, SqliteConnections } from './typeorm-connections.js';
import { DecidingTransaction } from './typeorm-transaction.js';

type Work<T> = (manager: EntityManager) => Promise<T>;

/** A transaction failed at its COMMIT, so its outcome is unknown; any earlier failure is another error. */
export class CommitFailed extends Error {
  constructor(cause: unknown) {
    super('the COMMIT failed', { cause });
  }
}

const ALL = new WeakMap<DataSource, TypeOrmTransactions>();

/** Isolated transactions of a DataSource. When TypeORM has only one connection, everything waits for its turn, reads too. */
export class TypeOrmTransactions {
  private lastTurn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly dataSource: DataSource,
    /** Runs in this process, with one connection. */
    readonly isEmbedded: boolean,
    private readonly connections: { obtain(): Promise<Connected> },
  ) {}

  /** Returns one instance per DataSource. Throws `misconfigured` for a database that was not proved to decide well. */
  static of(dataSource: DataSource): TypeOrmTransactions {
    const known = ALL.get(dataSource);
    if (known) return known;
    const { type } = dataSource.options;
    const isEmbedded = type === 'better-sqlite3';
    if (!isEmbedded && type !== 'postgres') {
      const message = `a DataSource of type ${type} cannot decide transactions: take \`better-sqlite3\` or \`postgres\``;
      throw new AppError('misconfigured', message, { retry: 'never' });
    }
    const connections = isEmbedded ? new SqliteConnections(dataSource) : new PostgresConnections(dataSource);
    const transactions = new TypeOrmTransactions(dataSource, isEmbedded, connections);
    ALL.set(dataSource, transactions);
    return transactions;
  }

  /** Rejects with `CommitFailed` when the outcome is unknown; otherwise nothing was committed. `check` runs last, inside it. */
  async run<T>(work: Work<T>, check: Work<void> = nothing, log?: Log): Promise<T> {
    return this.inTurn(async () => {
      const transaction = await DecidingTransaction.begin(await this.connections.obtain());
      try {
        const result = await work(transaction.manager);
        await transaction.check(check);
        await transaction.commit().catch((error: unknown) => {
          if (!transaction.isCommitted) throw error;
          log?.warn('a subscriber failed after the COMMIT of a transaction; the transaction is committed', { error });
        });
        return result;
      } catch (error) {
        throw transaction.isUncertain ? new CommitFailed(error) : error;
      } finally {
        await transaction.rollBack();
      }
    });
  }

  /** Sees only committed data. */
  read<T>(work: Work<T>): Promise<T> {
    return this.inTurn(() => work(this.dataSource.manager));
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (!this.isEmbedded) return task();
    const turn = this.lastTurn.then(task);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

async function nothing(): Promise<void> {
  // The default check accepts every transaction.
}
