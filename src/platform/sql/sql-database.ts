import BetterSqlite3, { type Statement } from 'better-sqlite3';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { AppError, Clock, Disk, Log, Random } from '../../kernel/index.js';
import type { DataFiles } from '../data-files/index.js';
import { registerSeal } from '../sql-check/index.js';
import { CommitCount, markWitnessed, unmarkWitnessed } from './commit-count.js';
import { CommitWitness, witnessOf } from './commit-witness.js';
import { guarded } from './guarded-handle.js';
import { lookBeforeOpening, refusalFor } from './look-before-opening.js';
import { refusalToOpen } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';
import { ownersPace, SqlReader } from './sql-reader.js';
import { stopAsSuperseded } from './superseded.js';
import { writesOnlyInTransactions } from './statement-guard.js';
import { SqlWriteExecutor, type SqlWriteExecutorPorts, type WriteGuard } from './write-executor.js';

type EntityClass = new () => object;
type MigrationClass = new () => object;

export interface SqlDatabaseOptions {
  readonly file: string;
  readonly entities: readonly EntityClass[];
  readonly migrations: readonly MigrationClass[];
  /** As `WarmSqlFile.isContinued` says. Absent: the file was not open here before. */
  readonly isContinued?: boolean;
}

export interface SqlDatabasePorts extends Omit<SqlWriteExecutorPorts, 'guard'> {
  readonly random: Random;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
  readonly files: DataFiles;
  /** Milliseconds since some moment; never jumps backwards. */
  readonly monotonicMs: () => number;
}

/** Excludes the witness, which only counts the commits and is not part of the data. */
const FILES = ['', '-wal', '-shm'];
const WRITE_BUSY_TIMEOUT_MS = 250;
const READ_BUSY_TIMEOUT_MS = 1_000;
const DATABASE_ID_BYTES = 16;
const LIFE_BYTES = 6;
const LIVES_KEPT = 10_000;
/** When SQLite restarts its log, it cuts the log to this size; during long reads the log may grow further. */
const LOG_KEPT_BYTES = 10 * 2 ** 20;
/** 8 MB of log. A checkpoint writes each changed page once, so half as many checkpoints cost little more than half. */
const PAGES_PER_CHECKPOINT = 2_000;

/**
 * One SQLite file in WAL mode behind two connections. TypeORM's better-sqlite3 driver is one connection per DataSource, and
 * concurrent work on it joins whatever transaction is open, so after the migrations nothing writes through a DataSource: all
 * writes go through `writer`, all reads through `reader`.
 */
export class SqlDatabase {
  private readonly incarnationOf: Statement<[number], number>;

  private constructor(
    readonly writeSource: DataSource,
    readonly readSource: DataSource,
    /** For preparing the statements of work given to `writer`. */
    readonly writeHandle: SqlHandle,
    readonly writer: SqlWriteExecutor,
    readonly reader: SqlReader,
    /** Created with the file, never changed: tells a restored copy's caches and journals from another database's. */
    readonly databaseId: string,
    readonly epoch: number,
    /** Identifies this incarnation, unique among this file and its copies: a random whole number of 48 bits. */
    readonly incarnation: number,
    private readonly witness: CommitWitness,
    /** Reports that data read back differs from data written, and stops all writes. Returns the error for the request. */
    readonly damaged: (what: string) => AppError,
    private readonly letGo: () => void,
    /** Reverts the start of counting commits outside the file by this incarnation; undefined where an earlier one started it. */
    private readonly uncounted: { readonly unmark: () => void; readonly remove: () => Promise<void> } | undefined,
  ) {
    this.incarnationOf = reader.handle.prepare<[number], number>('SELECT id FROM lives WHERE id = ?').pluck();
  }

  /**
   * Opens, migrates, takes the next epoch and begins an incarnation, durable when it resolves. The caller holds the data
   * directory's lock. Rejects with `storage-busy`, `storage-read-only` or `data-corrupt`, which name the file, and with
   * `recovery-needed`, nothing changed, when the file lacks durable commits.
   */
  static async open(ports: SqlDatabasePorts, options: SqlDatabaseOptions): Promise<SqlDatabase> {
    try {
      return await SqlDatabase.opened(ports, options);
    } catch (error) {
      throw refusalToOpen(error, options.file);
    }
  }

  private static async opened(ports: SqlDatabasePorts, options: SqlDatabaseOptions): Promise<SqlDatabase> {
    let writeHandle: SqlHandle | undefined;
    let readHandle: SqlHandle | undefined;
    const writeSource = new DataSource({
      ...connection(options, (handle) => (writeHandle = handle), WRITE_BUSY_TIMEOUT_MS),
      migrations: [...options.migrations] as never,
      migrationsTransactionMode: 'each',
    });
    const known = await CommitWitness.read(ports.disk, witnessOf(options.file));
    const lacking = lookBeforeOpening(options.file, known, options.isContinued);
    if (lacking !== undefined) throw refusalFor(lacking);
    await writeSource.initialize();
    await writeSource.runMigrations();
    const readSource = new DataSource(connection(options, (handle) => (readHandle = handle), READ_BUSY_TIMEOUT_MS));
    await readSource.initialize();
    if (!writeHandle || !readHandle) throw new Error('TypeORM opened no connection');
    readHandle.pragma('query_only = ON');

    ports.crashSites.reach('sql.epoch.before');
    const [databaseId, epoch, incarnation, firstCount] = beginEpoch(writeHandle, ports);
    ports.crashSites.reach('sql.epoch.after');
    let isWitnessSound = true;
    const witness = await CommitWitness.open(ports, witnessOf(options.file), (error) => {
      isWitnessSound = false;
      ports.log.warn('the count of commits beside the database could not be written', { error });
    });
    witness.note({ databaseId, incarnation, count: firstCount });
    await witness.synchronize();
    if (isWitnessSound) markWitnessed(writeHandle);
    const marked = writeHandle;
    const inUse = FILES.map((ending) => `${options.file}${ending}`);
    inUse.forEach((path) => {
      // SQLite itself cuts the log when all of it is in the file.
      ports.files.keep(path, { mayShrink: path.endsWith('-wal') });
    });
    const damaged = (error: unknown): AppError =>
      ports.files.damaged(options.file, String((error as Error).message), error);
    for (const handle of [writeHandle, readHandle]) guarded(handle, damaged);
    const writtenByCommits = [options.file, `${options.file}-wal`];
    const guard: WriteGuard = {
      get refusal() {
        return ports.files.refusal;
      },
      // The index of the log holds nothing that the log does not.
      lost: () => ports.files.lostAmong(writtenByCommits),
    };
    const own = `${databaseId}:${String(incarnation)}`;
    const reader = new SqlReader(readHandle, ownersPace(ports.monotonicMs), undefined, {
      incarnation: own,
      superseded: (found) =>
        stopAsSuperseded(ports.process, `incarnation ${found} has begun, but this process is incarnation ${own}`),
    });
    const committed = (count: number | undefined): void => {
      reader.noticeCommit();
      if (count !== undefined) witness.note({ databaseId, incarnation, count });
    };
    return new SqlDatabase(
      writeSource,
      readSource,
      writesOnlyInTransactions(writeHandle),
      new SqlWriteExecutor({ ...ports, guard }, writeHandle, epoch, committed),
      reader,
      databaseId,
      epoch,
      incarnation,
      witness,
      (what) => ports.files.damaged(options.file, what),
      () => {
        inUse.forEach((path) => {
          ports.files.forget(path);
        });
      },
      known === undefined
        ? { unmark: () => unmarkWitnessed(marked), remove: () => ports.disk.remove(witnessOf(options.file)) }
        : undefined,
    );
  }

  /** Whether that incarnation belongs to this file, or to the file that it was copied from. Covers the last 10,000. */
  knowsIncarnation(incarnation: number): boolean {
    return this.incarnationOf.get(incarnation) !== undefined;
  }

  /** The last incarnations before this one, as in `SqlVersion`, latest first. */
  formerIncarnations(count: number): readonly string[] {
    return this.reader.handle
      .prepare<[number, number], number>('SELECT id FROM lives WHERE id != ? ORDER BY began_at_ms DESC LIMIT ?')
      .pluck()
      .all(this.incarnation, count)
      .map((incarnation) => `${this.databaseId}:${String(incarnation)}`);
  }

  /**
   * For a refused start: closes the file at once and leaves nothing beside it that could pass for part of another copy put in its
   * place, or serve to judge such a copy. No work may be under way or follow. Never rejects.
   */
  async abandon(): Promise<void> {
    this.letGo();
    const endings: readonly (() => unknown)[] = [
      () => this.uncounted?.unmark(),
      () => this.reader.handle.close(),
      () => emptyLog(this.writeHandle),
      () => this.writeHandle.close(),
      () => this.witness.close(),
      () => this.uncounted?.remove(),
    ];
    for (const end of endings) {
      try {
        await end();
      } catch {
        // The error to report is the reason for the refused start.
      }
    }
  }

  async close(): Promise<void> {
    if (this.writeSource.isInitialized) await this.writer.close();
    if (this.readSource.isInitialized) await this.readSource.destroy();
    if (!this.writeSource.isInitialized) return;
    this.letGo();
    emptyLog(this.writeHandle);
    await this.writeSource.destroy();
    await this.witness.close();
  }
}

/** SQLite empties the log itself at the last close, but a reader may have the file open. A failure leaves the log for the next start. */
function emptyLog(handle: SqlHandle): void {
  try {
    handle.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    return;
  }
}

function connection(
  options: SqlDatabaseOptions,
  opened: (handle: SqlHandle) => void,
  busyTimeoutMs: number,
): DataSourceOptions & { type: 'better-sqlite3' } {
  return {
    type: 'better-sqlite3',
    database: options.file,
    driver: BetterSqlite3,
    entities: [...options.entities],
    timeout: busyTimeoutMs,
    synchronize: false,
    prepareDatabase: (handle: SqlHandle) => {
      handle.pragma('journal_mode = WAL');
      handle.pragma('synchronous = FULL');
      handle.pragma(`journal_size_limit = ${String(LOG_KEPT_BYTES)}`);
      handle.pragma(`wal_autocheckpoint = ${String(PAGES_PER_CHECKPOINT)}`);
      // Savepoint journals: on disk they cost as many writes as the work itself, and nothing reads them after a crash.
      handle.pragma('temp_store = MEMORY');
      registerSeal(handle);
      opened(handle);
    },
  };
}

/**
 * An earlier copy does not know this incarnation, and its own next ones have other names. Forgetting old ones is safe: their
 * in-doubt transactions are left to a person instead of aborted.
 */
function beginEpoch(
  handle: SqlHandle,
  { random, clock }: Pick<SqlDatabasePorts, 'random' | 'clock'>,
): [databaseId: string, epoch: number, incarnation: number, count: number] {
  const freshId = Buffer.from(random.bytes(DATABASE_ID_BYTES)).toString('hex');
  const incarnation = Buffer.from(random.bytes(LIFE_BYTES)).readUIntBE(0, LIFE_BYTES);
  const commits = new CommitCount(handle);
  const begin = handle.transaction(() => {
    handle.prepare('INSERT OR IGNORE INTO meta (id, database_id, epoch) VALUES (1, ?, 0)').run(freshId);
    handle.prepare('UPDATE meta SET epoch = epoch + 1, incarnation = ?').run(incarnation);
    handle
      .prepare('DELETE FROM lives WHERE id IN (SELECT id FROM lives ORDER BY began_at_ms DESC LIMIT -1 OFFSET ?)')
      .run(LIVES_KEPT - 1);
    handle.prepare('INSERT INTO lives (id, began_at_ms) VALUES (?, ?)').run(incarnation, clock.nowMs());
    const row = handle.prepare<[], [string, number]>('SELECT database_id, epoch FROM meta').raw().get();
    return { row, count: commits.next() };
  });
  const { row, count } = begin.immediate();
  if (!row || count === undefined) throw new Error('the meta row was just written');
  return [...row, incarnation, count];
}
