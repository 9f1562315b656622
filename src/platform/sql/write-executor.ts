import type { Statement } from 'better-sqlite3';
import {
  AppError,
  isAppError,
  type CrashSites,
  type NextTurn,
  type ProcessControl,
  type Timers,
} from '../../kernel/index.js';
import type { SqlHandle } from './sql-handle.js';
import { CommitCount } from './commit-count.js';
import { refusalFrom, sqliteCode } from './sql-error.js';
import { stopAsSuperseded } from './superseded.js';

export interface SqlWriteExecutorPorts {
  readonly nextTurn: NextTurn;
  readonly timers: Timers;
  readonly crashSites: CrashSites;
  readonly process: ProcessControl;
  readonly guard: WriteGuard;
}

/** Knows whether data written to the file will be found again. */
export interface WriteGuard {
  /** Why writing is refused; undefined when it is allowed. */
  readonly refusal: AppError | undefined;
  /** Called when a commit is durable: describes what has happened to its file in the meantime; undefined when nothing has. */
  lost(): string | undefined;
}

/** What a piece of work may do besides running statements on the write handle. */
export interface SqlWriteScope {
  /** Moves the table's generation with this commit, so that no cache serves older data. */
  touch(table: string): void;
}

/** Crash sites around the commit of a batch, and of the epoch at startup. */
export const SQL_CRASH_SITES = [
  'sql.epoch.before',
  'sql.epoch.after',
  'sql.commit.before',
  'sql.commit.after',
] as const;

/** How long deferred work waits for the commit of other work before it gets its own. */
const DEFERRED_AT_MOST_MS = 1_000;

interface Queued {
  readonly work: (scope: SqlWriteScope) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Judged = { readonly entry: Queued; readonly value: unknown } | { readonly entry: Queued; readonly error: unknown };

/**
 * The only writer of one SQLite file: all work that arrives in one event-loop turn shares one commit (one fsync), each piece
 * under its own savepoint, so that a failing piece affects no other. Invariant: a piece of work is answered only after the commit
 * that holds it; one that threw has left nothing.
 */
export class SqlWriteExecutor {
  private queue: Queued[] = [];
  private deferred: Queued[] = [];
  /** Set after a commit with deferred work was refused: the next attempt must not fail the commit of other work. */
  private mustDeferredGoAlone = false;
  private cancelDeferredTimer: (() => void) | undefined;
  private readonly begin: Statement<[]>;
  private readonly commit: Statement<[]>;
  private readonly rollback: Statement<[]>;
  private readonly savepoint: Statement<[]>;
  private readonly release: Statement<[]>;
  private readonly rollbackTo: Statement<[]>;
  private readonly readEpoch: Statement<[], number>;
  private readonly moveGeneration: Statement<[string]>;
  private readonly count: CommitCount;

  constructor(
    private readonly ports: SqlWriteExecutorPorts,
    private readonly handle: SqlHandle,
    private readonly epoch: number,
    /** Called with the commit's number when it is durable, before any answer; undefined when it changed nothing. */
    private readonly committed: (count: number | undefined) => void,
  ) {
    this.begin = handle.prepare('BEGIN IMMEDIATE');
    this.commit = handle.prepare('COMMIT');
    this.rollback = handle.prepare('ROLLBACK');
    this.savepoint = handle.prepare('SAVEPOINT work');
    this.release = handle.prepare('RELEASE work');
    this.rollbackTo = handle.prepare('ROLLBACK TO work');
    this.readEpoch = handle.prepare<[], number>('SELECT epoch FROM meta').pluck();
    this.moveGeneration = handle.prepare(
      `INSERT INTO generations (table_name, generation) VALUES (?, 1)
       ON CONFLICT (table_name) DO UPDATE SET generation = generation + 1`,
    );
    this.count = new CommitCount(handle);
  }

  /**
   * Runs `work` inside the next commit; it must be synchronous and may run statements of this handle only. Durable when it
   * resolves. Rejects with what `work` threw, or `storage-full`, `storage-busy`, `storage-read-only` (nothing written), or
   * `outcome-unknown` (the process is stopping).
   */
  run<T>(work: (scope: SqlWriteScope) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.queue.length === 1) {
        this.ports.nextTurn(() => {
          this.commitQueued();
        });
      }
    });
  }

  /**
   * Runs `work`, as `run` does, inside the next commit that other work needs, after a second inside its own. For work that may be
   * lost when the process dies, so nothing can wait for it. A refused commit is retried, so `work` may run more than once.
   * `settled` is called when it is durable, or with what `work` threw: nothing of that is written, and it is not retried.
   */
  defer(work: (scope: SqlWriteScope) => void, settled: (error?: unknown) => void): void {
    const resolve = (): void => {
      settled();
    };
    this.deferred.push({ work, resolve, reject: settled });
    this.armDeferredTimer();
  }

  /** Resolves when all previously queued work has been answered and deferred work has been tried. */
  async drained(): Promise<void> {
    this.mustDeferredGoAlone = true;
    // This call queues behind all other work; its own result does not matter.
    await this.run(() => undefined).catch(() => undefined);
    this.commitDeferred();
  }

  /** Drains. Deferred work that still cannot be written is given up. No work may follow. */
  async close(): Promise<void> {
    await this.drained();
    this.takeDeferred();
  }

  private commitQueued(): void {
    const batch = this.queue;
    this.queue = [];
    this.commitTogether(batch, this.mustDeferredGoAlone ? [] : this.takeDeferred());
  }

  private commitDeferred(): void {
    const deferred = this.takeDeferred();
    this.mustDeferredGoAlone = false;
    this.commitAlone(deferred);
  }

  private commitAlone(deferred: readonly Queued[]): void {
    if (deferred.length > 0) this.commitTogether([], deferred);
  }

  private commitTogether(batch: readonly Queued[], deferred: readonly Queued[]): void {
    let judged: readonly Judged[];
    let count: number | undefined;
    try {
      const touched = new Set<string>();
      this.beginTransaction();
      judged = this.attemptAll(batch, deferred, touched);
      for (const table of touched) this.moveGeneration.run(table);
      count = this.count.next();
    } catch (error) {
      const isOpen = this.handle.inTransaction;
      if (isOpen) this.rollback.run();
      if (error instanceof RolledBack) error.rejectAll(batch);
      else rejectAll(batch, refusalFrom(error));
      // Work alone that failed by itself has taken the deferred work with it.
      if (isOpen && error instanceof RolledBack && this.ports.guard.refusal === undefined) this.commitAlone(deferred);
      else this.keepDeferred(deferred);
      return;
    }
    if (!this.commitNow(batch, count)) this.keepDeferred(deferred);
    else this.answerUnlessLost(judged);
  }

  /** Durable data in a file that was removed in the meantime is found again only if the file is put back. */
  private answerUnlessLost(judged: readonly Judged[]): void {
    const lost = this.ports.guard.lost();
    if (lost === undefined) answer(judged);
    else
      rejectAll(
        judged.map(({ entry }) => entry),
        new AppError('outcome-unknown', lost, { retry: 'unknown' }),
      );
  }

  private takeDeferred(): readonly Queued[] {
    this.cancelDeferredTimer?.();
    this.cancelDeferredTimer = undefined;
    const deferred = this.deferred;
    this.deferred = [];
    return deferred;
  }

  /** Keeps the deferred work of a commit that failed. */
  private keepDeferred(deferred: readonly Queued[]): void {
    if (deferred.length === 0) return;
    this.deferred = [...deferred, ...this.deferred];
    this.mustDeferredGoAlone = true;
    this.armDeferredTimer();
  }

  private armDeferredTimer(): void {
    this.cancelDeferredTimer ??= this.ports.timers.after(DEFERRED_AT_MOST_MS, () => {
      this.commitDeferred();
    });
  }

  private beginTransaction(): void {
    const { refusal } = this.ports.guard;
    if (refusal !== undefined) throw refusal;
    this.begin.run();
    this.assertNotSuperseded();
  }

  private attemptAll(batch: readonly Queued[], deferred: readonly Queued[], touched: Set<string>): readonly Judged[] {
    const [first, second] = batch;
    if (first && !second) {
      const judged = this.attemptBefore(deferred, touched);
      if (judged) return [...judged, this.attemptAlone(first, touched)];
    }
    return [...batch, ...deferred].map((entry) => this.attempt(entry, touched));
  }

  /**
   * Deferred work that comes before work alone needs no savepoint: when it fails, nothing else is lost yet. Undefined: some has failed,
   * and the transaction has begun anew.
   */
  private attemptBefore(deferred: readonly Queued[], touched: Set<string>): readonly Judged[] | undefined {
    try {
      return deferred.map((entry) => ({ entry, value: this.doWork(entry, (table) => touched.add(table)) }));
    } catch {
      if (this.handle.inTransaction) this.rollback.run();
      touched.clear();
      this.beginTransaction();
      return undefined;
    }
  }

  /** Work that shares its commit only with deferred work needs no savepoint: when it fails, the whole transaction is rolled back. */
  private attemptAlone(entry: Queued, touched: Set<string>): Judged {
    try {
      return { entry, value: this.doWork(entry, (table) => touched.add(table)) };
    } catch (error) {
      throw new RolledBack(entry, error);
    }
  }

  private doWork(entry: Queued, touch: (table: string) => void): unknown {
    const value = entry.work({ touch });
    if (value instanceof Promise) throw new Error('work for the write executor must be synchronous');
    // Work that goes on after such an error has been refused every further statement.
    if (!this.handle.inTransaction) throw new Error('SQLite rolled back, but the work ignored the error');
    return value;
  }

  private attempt(entry: Queued, touched: Set<string>): Judged {
    const tables: string[] = [];
    this.savepoint.run();
    try {
      const value = this.doWork(entry, (table) => tables.push(table));
      this.release.run();
      tables.forEach((table) => touched.add(table));
      return { entry, value };
    } catch (error) {
      // A damaged page discards all work too, because the basis of the other work is unknown.
      if (!this.handle.inTransaction || this.ports.guard.refusal !== undefined) throw new RolledBack(entry, error);
      this.rollbackTo.run();
      this.release.run();
      return { entry, error: refusalFrom(error) };
    }
  }

  /** True when the commit is durable. Otherwise all of its work has been answered. */
  private commitNow(batch: readonly Queued[], count: number | undefined): boolean {
    try {
      this.ports.crashSites.reach('sql.commit.before');
      this.commit.run();
      this.count.committed(count);
      this.committed(count);
      this.ports.crashSites.reach('sql.commit.after');
      return true;
    } catch (error) {
      if (this.isUndone(error)) {
        if (this.handle.inTransaction) this.rollback.run();
        rejectAll(batch, refusalFrom(error));
        return false;
      }
      this.ports.process.stop('the SQL commit failed: the next start reads whether it happened', error);
      rejectAll(batch, new AppError('outcome-unknown', 'the SQL commit failed', { retry: 'unknown', cause: error }));
      return false;
    }
  }

  /**
   * Whether a failed commit has certainly not happened. BUSY and constraints leave the transaction open. On a full disk the write
   * of WAL pages fails, and the commit mark is the last of them; SQLite has already rolled back by itself. (A disk that is full
   * only at the fsync gives SQLITE_IOERR_FSYNC, and is not certain.)
   */
  private isUndone(error: unknown): boolean {
    const code = sqliteCode(error) ?? '';
    if (code === 'SQLITE_FULL') return true;
    return this.handle.inTransaction && (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_CONSTRAINT'));
  }

  private assertNotSuperseded(): void {
    const epoch = this.readEpoch.get();
    if (epoch === this.epoch) return;
    throw stopAsSuperseded(
      this.ports.process,
      `epoch ${String(epoch)} has begun, but this process belongs to epoch ${String(this.epoch)}`,
    );
  }
}

/** The whole transaction is rolled back, often by SQLite itself, so no work is left. */
class RolledBack extends Error {
  constructor(
    private readonly culprit: Queued,
    cause: unknown,
  ) {
    super('the transaction is rolled back', { cause });
  }

  /** A full disk is reported to all work; any other error only to the work that met it. */
  rejectAll(batch: readonly Queued[]): void {
    const refusal = refusalFrom(this.cause);
    const others = isAppError(refusal)
      ? refusal
      : new AppError('storage-busy', 'the commit of this write was rolled back; nothing was written', {
          ...{ retry: 'safe', retryAfterSeconds: 1, cause: this.cause },
        });
    for (const entry of batch) entry.reject(entry === this.culprit ? refusal : others);
  }
}

function answer(judged: readonly Judged[]): void {
  for (const one of judged) {
    if ('error' in one) one.entry.reject(one.error);
    else one.entry.resolve(one.value);
  }
}

function rejectAll(batch: readonly Queued[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}
