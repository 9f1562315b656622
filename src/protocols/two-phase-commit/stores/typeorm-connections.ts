import type { DataSource, QueryRunner } from 'typeorm';
import { AppError } from '../../../kernel/index.js';
import { beforeEachStatement, type SqlHandle } from '../../../platform/sql/index.js';
import { controlsTransaction } from './transaction-control.js';
import type { StatementGate } from './typeorm-gate.js';

export interface DecidingConnection {
  /** TypeORM uses this instead of the driver's own connection: each statement passes the gate first. */
  readonly guarded: object;
  /** Whether a COMMIT would commit, as far as the connection knows. */
  canCommit(): boolean;
  /** Ends the transaction if it is still open, even when TypeORM has lost track of it. Never rejects. */
  rollBack(): Promise<void>;
  release(): Promise<void>;
}

export interface Connected {
  /** Exclusive to this transaction, which has not begun. */
  readonly runner: QueryRunner;
  connect(gate: StatementGate): DecidingConnection;
}

interface SqliteDriver {
  queryRunner?: QueryRunner | undefined;
  databaseConnection: SqlHandle;
}

/** The one connection of a DataSource on SQLite, for one transaction at a time. */
export class SqliteConnections {
  private readonly driver: SqliteDriver;
  private readonly handle: SqlHandle;
  private isTaken = false;

  constructor(private readonly dataSource: DataSource) {
    this.driver = dataSource.driver as unknown as SqliteDriver;
    this.handle = this.driver.databaseConnection;
    // The shared runner keeps prepared statements that skip the check below.
    this.driver.queryRunner = undefined;
    // The check covers users of the DataSource that were not given a manager. Their reads see uncommitted data.
    this.driver.databaseConnection = beforeEachStatement(this.handle, (sql, isReadOnly) => {
      if (isReadOnly && !controlsTransaction(sql)) return undefined;
      return () => {
        if (!this.isTaken) return;
        const wayOut = 'write through the manager that `decide` is given, or through a DataSource of your own';
        throw new AppError('misconfigured', `a transaction is being decided on this DataSource: ${wayOut}`, {
          retry: 'never',
        });
      };
    });
  }

  async obtain(): Promise<Connected> {
    if (this.handle.inTransaction) {
      throw new AppError('storage-busy', 'a transaction is already open on the DataSource that decides', {
        ...{ retry: 'safe', retryAfterSeconds: 1 },
      });
    }
    // TypeORM shares one runner, which tracks one open transaction. This transaction needs its own runner.
    const shared = this.driver.queryRunner;
    this.driver.queryRunner = undefined;
    const runner = this.dataSource.createQueryRunner();
    this.driver.queryRunner = shared;
    runner.connect = () => Promise.resolve(this.handle);
    return { runner, connect: (gate) => this.connection(runner, gate) };
  }

  private connection(runner: QueryRunner, gate: StatementGate): DecidingConnection {
    this.isTaken = true;
    const { handle } = this;
    return {
      guarded: guardedSqlite(handle, gate),
      canCommit: () => handle.inTransaction,
      rollBack: async () => {
        if (handle.inTransaction) handle.exec('ROLLBACK');
      },
      release: async () => {
        this.isTaken = false;
        (runner as { isReleased: boolean }).isReleased = true;
      },
    };
  }
}

/** The part of a connection that TypeORM uses. It is synchronous: nothing runs between the check and the statement. */
function guardedSqlite(handle: SqlHandle, gate: StatementGate): object {
  const prepare = (sql: string): object => {
    const statement = handle.prepare(sql);
    const attempt = (run: (...values: unknown[]) => unknown) => {
      return (...values: unknown[]): unknown => {
        gate.admit(sql, handle.inTransaction);
        try {
          const result = run(...values);
          gate.ran(sql);
          return result;
        } catch (error) {
          gate.failed(error, true);
          throw error;
        }
      };
    };
    return {
      reader: statement.reader,
      run: attempt((...values) => statement.run(...values)),
      all: attempt((...values) => statement.all(...values)),
    };
  };
  return { prepare, pragma: (source: string) => handle.pragma(source) };
}

interface PostgresClient {
  query(query: object): Promise<{ readonly command: string }>;
  /** `I`: in no transaction. `T`: in one. `E`: in one that an error has ended. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
}

const STATE_OF_SQL = /^[0-9A-Z]{5}$/;

export class PostgresConnections {
  constructor(private readonly dataSource: DataSource) {}

  async obtain(): Promise<Connected> {
    const runner = this.dataSource.createQueryRunner();
    const client = (await runner.connect()) as PostgresClient;
    return { runner, connect: (gate) => postgresConnection(runner, client, gate) };
  }
}

function postgresConnection(runner: QueryRunner, client: PostgresClient, gate: StatementGate): DecidingConnection {
  const release = runner.release.bind(runner);
  return {
    guarded: guardedPostgres(client, gate),
    canCommit: () => !runner.isReleased && client.getTransactionStatus() === 'T',
    rollBack: async () => {
      if (runner.isReleased || client.getTransactionStatus() === 'I') return;
      // When the ROLLBACK fails, the connection is broken; the pool drops it and the server rolls back.
      await client.query({ text: 'ROLLBACK' }).catch(() => undefined);
    },
    release,
  };
}

/**
 * Sends a statement only after the answer to the one before, so its check knows that outcome. It uses the extended protocol,
 * which takes one statement only, so that a COMMIT cannot hide behind another one.
 */
function guardedPostgres(client: PostgresClient, gate: StatementGate): object {
  let lastTurn: Promise<unknown> = Promise.resolve();
  const run = async (text: string, values: readonly unknown[]): Promise<unknown> => {
    gate.admit(text, client.getTransactionStatus() !== 'I');
    try {
      const result = await client.query({ text, values, queryMode: 'extended' });
      gate.ran(text, result.command === 'COMMIT');
      return result;
    } catch (error) {
      gate.failed(error, STATE_OF_SQL.test(String((error as { code?: unknown }).code)));
      throw error;
    }
  };
  const query = (text: unknown, values: readonly unknown[] = []): Promise<unknown> => {
    if (typeof text !== 'string') throw gate.breakUp('`decide` reads no streams: use `find` or a raw query');
    const turn = lastTurn.then(() => run(text, values));
    lastTurn = turn.catch(() => undefined);
    return turn;
  };
  return { query };
}
