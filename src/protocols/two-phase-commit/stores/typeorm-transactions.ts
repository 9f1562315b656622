import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

/** Those that TypeORM gives one connection per DataSource, inside of this process. */
const EMBEDDED = ['better-sqlite3', 'sqljs', 'expo', 'capacitor', 'cordova', 'nativescript', 'react-native'];

type Work<T> = (manager: EntityManager) => Promise<T>;

/** Tells a transaction that failed at its COMMIT, or later, from one that failed before. */
export class CommitFailed extends Error {
  constructor(cause: unknown) {
    super('the COMMIT failed', { cause });
  }
}

/**
 * Transactions of a DataSource that do not get into each other. Where TypeORM has one connection only, whatever else is
 * started on it joins the transaction that happens to be open; there everything, reads too, waits for its turn.
 */
export class TypeOrmTransactions {
  readonly isEmbedded: boolean;
  private lastTurn: Promise<unknown> = Promise.resolve();

  constructor(private readonly dataSource: DataSource) {
    this.isEmbedded = EMBEDDED.includes(dataSource.options.type);
  }

  /** Rejects with what `work` rejected with, when that is why nothing was committed; with `CommitFailed` when not. */
  async run<T>(work: Work<T>): Promise<T> {
    return this.inTurn(async () => {
      let hasWorked = false;
      try {
        return await this.dataSource.transaction(async (manager) => {
          const result = await work(manager);
          hasWorked = true;
          return result;
        });
      } catch (error) {
        if (this.isEmbedded) await this.endOpenTransaction();
        throw hasWorked ? new CommitFailed(error) : error;
      }
    });
  }

  /** Sees what is committed, and nothing of what is not. */
  read<T>(work: Work<T>): Promise<T> {
    return this.inTurn(() => work(this.dataSource.manager));
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (!this.isEmbedded) return task();
    const turn = this.lastTurn.then(task);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * SQLite rolls back by itself when its disk is full. TypeORM then fails to roll back what is not there any more, goes
   * on counting that transaction as open, makes of all later ones savepoints inside of it, and answers them without a
   * COMMIT. So it gets a new idea of its connection.
   */
  private async endOpenTransaction(): Promise<void> {
    const driver = this.dataSource.driver as { queryRunner?: QueryRunner | undefined };
    const runner = this.dataSource.createQueryRunner();
    if (!runner.isTransactionActive) return;
    await runner.query('ROLLBACK').catch(() => undefined);
    driver.queryRunner = undefined;
  }
}
