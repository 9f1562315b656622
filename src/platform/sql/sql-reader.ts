import type { Statement } from 'better-sqlite3';
import type { Microtask } from '../../kernel/index.js';
import { COMMITS } from './commit-count.js';
import type { SqlHandle } from './sql-handle.js';

/** One state of a table. */
export interface SqlVersion {
  /**
   * `<database id>:<incarnation>`. Epochs and generations repeat after a restore of an older copy, so each start of the writing
   * process draws a new incarnation.
   */
  readonly incarnation: string;
  readonly generation: number;
}

export interface Versioned<T> {
  readonly version: SqlVersion;
  readonly value: T;
}

/** What a process must look at that does not own the file. Both throw when nothing may be read any more. */
export interface ReadWatch {
  /** Called before each question to SQLite. */
  look(): void;
  /** Called when another connection has committed. */
  moved(): void;
}

const UNWATCHED: ReadWatch = { look: () => undefined, moved: () => undefined };

/** Says how long the last answer of SQLite serves, because asking takes several system calls. */
export interface LookPace {
  isDue(): boolean;
  looked(): void;
}

/** For the process that owns the file: what it must find there as long as it does. */
export interface OwnedFile {
  /** As in `SqlVersion`. */
  readonly incarnation: string;
  /** Stops the process, because the file names another incarnation. Returns the error for the read. */
  superseded(found: string): Error;
}

/**
 * For the process that owns the file: nobody else commits to it, and `noticeCommit` tells of its own commits. Only a process that was
 * stopped for longer than `SAFE_GAP_MS` may have lost the file meanwhile. Milliseconds of a monotonic clock.
 */
export function ownersPace(nowMs: () => number): LookPace {
  let lookedAt = -Infinity;
  return {
    isDue: () => nowMs() - lookedAt > SAFE_GAP_MS,
    looked: () => {
      lookedAt = nowMs();
    },
  };
}

const SAFE_GAP_MS = 250;

/**
 * For a process that does not own the file: one answer serves one callback of the event loop, since what is handled in it arrived
 * before it. A whole turn would be too long, because libuv may poll for input several times in one.
 */
export function pacePerCallback(microtask: Microtask): LookPace {
  let isDue = true;
  return {
    isDue: () => isDue,
    looked: () => {
      isDue = false;
      microtask(() => {
        isDue = true;
      });
    },
  };
}

/**
 * Reads that know how fresh they are. Each table that caches depend on has a generation, which the commit that changes it moves.
 * SQLite's `data_version` tells this connection of any other commit, so the generation is looked up again exactly when it may
 * have moved, whichever process moved it. The same holds for the incarnation of the writing process, with which the process that
 * owns the file finds out that it does no longer.
 */
export class SqlReader {
  private readonly dataVersion: Statement<[], number>;
  private readonly version: Statement<[string], SqlVersion>;
  private readonly begin: Statement<[]>;
  private readonly end: Statement<[]>;
  /** Called after each commit of this process. */
  onCommit: (() => void) | undefined;
  private seenDataVersion = -1;
  private hasCommitted = false;
  private readonly versions = new Map<string, SqlVersion>();

  /** `handle` is for preparing read statements; no caller may leave a transaction open on it. */
  constructor(
    readonly handle: SqlHandle,
    private readonly pace: LookPace,
    private readonly watch = UNWATCHED,
    private readonly owned?: OwnedFile,
  ) {
    this.dataVersion = handle.prepare<[], number>('PRAGMA data_version').pluck();
    this.version = handle.prepare(
      `SELECT database_id || ':' || incarnation AS incarnation,
         coalesce((SELECT generation FROM generations WHERE table_name = ?), 0) AS generation
       FROM meta WHERE incarnation IS NOT NULL`,
    );
    this.begin = handle.prepare('BEGIN');
    this.end = handle.prepare('COMMIT');
  }

  /**
   * At least as new as every commit that was durable before the call; the same object until another commit. A table never touched is
   * at generation 0.
   */
  currentVersion(table: string): SqlVersion {
    if (this.hasCommitted || this.pace.isDue()) this.checkDataVersion();
    const known = this.versions.get(table);
    if (known !== undefined) return known;
    const version = this.readVersion(table);
    this.versions.set(table, version);
    return version;
  }

  /**
   * Throws when another process has taken over the file, unless a look within the last `SAFE_GAP_MS` has found nothing. To call
   * before an answer from memory: a process that was stopped and continues does not know what it has missed.
   */
  assertOwned(): void {
    if (!this.pace.isDue()) return;
    this.checkDataVersion();
    if (this.versions.size === 0) this.versions.set(COMMITS, this.readVersion(COMMITS));
  }

  /** Call it when a commit of this process is durable, before the answer. */
  noticeCommit(): void {
    this.hasCommitted = true;
    this.onCommit?.();
  }

  /** Runs `load`, which must be synchronous, and reads the table's version in the same read transaction. */
  loadVersioned<T>(table: string, load: () => T): Versioned<T> {
    this.begin.run();
    try {
      return { version: this.readVersion(table), value: load() };
    } finally {
      // An I/O error has ended the transaction itself.
      if (this.handle.inTransaction) this.end.run();
    }
  }

  private readVersion(table: string): SqlVersion {
    const version = this.version.get(table);
    if (version === undefined) throw new Error('no process of this version has opened the database for writing yet');
    if (this.owned !== undefined && version.incarnation !== this.owned.incarnation) {
      throw this.owned.superseded(version.incarnation);
    }
    return version;
  }

  private checkDataVersion(): void {
    this.watch.look();
    const dataVersion = this.dataVersion.get() ?? 0;
    if (dataVersion !== this.seenDataVersion) {
      this.watch.moved();
      this.seenDataVersion = dataVersion;
      this.versions.clear();
    }
    this.hasCommitted = false;
    this.pace.looked();
  }
}
