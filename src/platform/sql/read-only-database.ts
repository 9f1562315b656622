import { type Stats, statSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { AppError, type Log, type Microtask } from '../../kernel/index.js';
import { FileChanges } from './file-changes.js';
import { guarded } from './guarded-handle.js';
import { positionIn } from './look-before-opening.js';
import { refusalToOpen } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';
import { pacePerCallback, SqlReader } from './sql-reader.js';

type MigrationClass = new () => { readonly name?: string };

export interface ReadOnlyDatabaseOptions {
  readonly file: string;
  /** All migrations that the file must have seen, and no other. */
  readonly migrations: readonly MigrationClass[];
  /** Whether a process that may write holds the data directory. Called only when the file has changed, so it may be slow. */
  readonly isOwned: () => boolean;
}

const BUSY_TIMEOUT_MS = 250;
const ENDINGS = ['', '-wal', '-shm'];

/**
 * A database file that another process owns, migrates and writes. It is opened through SQLite alone, for reading, and without
 * the data directory's lock.
 *
 * SQLite goes on answering from a file that was removed, replaced or migrated, so device and inode are compared before each
 * question to it, and the version of the schema after each commit. The log (`-wal`) and its index (`-shm`) are compared too; SQLite
 * keeps both while this process has them open. A copy written over the file keeps the inode: `FileChanges` notices it.
 */
export class ReadOnlyDatabase {
  readonly reader: SqlReader;
  private lost: string | undefined;
  private schemaVersion: unknown;
  /** By path, from when SQLite first used the file. */
  private readonly identities = new Map<string, string>();
  private readonly paths: readonly string[];
  private readonly changes: FileChanges;
  /** Of the database file, at the last look. */
  private stats: Stats;

  private constructor(
    private readonly handle: SqlHandle,
    stats: Stats,
    private readonly options: ReadOnlyDatabaseOptions,
    ports: { readonly microtask: Microtask; readonly log: Log },
  ) {
    this.identities.set(options.file, identityOf(stats));
    this.stats = stats;
    this.paths = ENDINGS.map((ending) => `${options.file}${ending}`);
    this.schemaVersion = this.readSchemaVersion();
    this.changes = new FileChanges(handle, options.file, options.isOwned);
    this.damaged = (what) => {
      const damage = `${options.file} is damaged (${what}): stop the app, put a good copy back and start it again`;
      ports.log.warn('the database cannot be read', { problem: damage });
      return new AppError('storage-damaged', damage, { retry: 'safe' });
    };
    guarded(handle, (error) => this.damaged((error as Error).message));
    this.reader = new SqlReader(handle, pacePerCallback(ports.microtask), {
      look: () => {
        this.look();
        this.assertNotLost();
      },
      moved: () => {
        this.noticeMigration();
        this.changes.noteCommits(this.look);
        this.assertNotLost();
      },
    });
  }

  /** Reports that data read back differs from data written. Returns the error for the request. */
  readonly damaged: (what: string) => AppError;

  /** Throws one AppError when the file is missing, or is not of this version. Creates and changes nothing. */
  static open(
    ports: { readonly microtask: Microtask; readonly log: Log },
    options: ReadOnlyDatabaseOptions,
  ): ReadOnlyDatabase {
    const { file, migrations } = options;
    const stats = statsOf(file);
    if (stats === undefined) {
      throw new AppError('not-ready', `${file} is not there: start the app first, which creates it`, { retry: 'safe' });
    }
    let handle: SqlHandle | undefined;
    try {
      handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
      const refusal = schemaRefusal(handle, file, migrations);
      if (refusal !== undefined) throw new AppError('recovery-needed', refusal, { retry: 'never' });
      const opened = new ReadOnlyDatabase(handle, stats, options, ports);
      opened.look();
      opened.assertNotLost();
      return opened;
    } catch (error) {
      handle?.close();
      throw refusalToOpen(error, file);
    }
  }

  /** Says why nothing may be read any more; undefined while all is well. Looks now. Call it a few times a second. */
  problem(): string | undefined {
    this.look();
    if (this.lost !== undefined) return this.lost;
    try {
      this.changes.noteCommits(this.look, positionIn(this.handle));
    } catch {
      // What was noted before stays good. The next read of a client meets this error too, and tells it.
    }
    return this.lost;
  }

  close(): void {
    this.handle.close();
  }

  private readonly look = (): void => {
    if (this.lost !== undefined) return;
    try {
      for (const path of this.paths) this.lost ??= this.problemOf(path);
      if (this.lost === undefined && this.changes.isOverwritten(this.stats)) {
        this.lost = `${this.options.file} was written over while it was in use`;
      }
    } catch (error) {
      this.lost = (error as Error).message;
    }
  };

  private problemOf(path: string): string | undefined {
    const stats = statsOf(path);
    const found = stats && identityOf(stats);
    const noted = this.identities.get(path);
    if (noted === undefined && found !== undefined) this.identities.set(path, found);
    if (noted !== undefined && found !== noted) {
      return `${path} was ${found === undefined ? 'removed or renamed' : 'replaced by another file'} while it was in use`;
    }
    if (stats !== undefined && path === this.options.file) this.stats = stats;
    return undefined;
  }

  private assertNotLost(): void {
    const problem = this.lost;
    if (problem === undefined) return;
    throw new AppError('not-ready', `${problem}; this process stops`, { retry: 'safe', retryAfterSeconds: 1 });
  }

  private noticeMigration(): void {
    const version = this.readSchemaVersion();
    if (version === this.schemaVersion) return;
    this.schemaVersion = version;
    this.lost ??= schemaRefusal(this.handle, this.options.file, this.options.migrations);
  }

  private readSchemaVersion(): unknown {
    return this.handle.pragma('schema_version', { simple: true });
  }
}

/** An open file keeps its inode from being used again. */
function identityOf({ dev, ino }: Stats): string {
  return `${String(dev)}:${String(ino)}`;
}

/** Undefined when there is no such file. Throws an AppError. */
function statsOf(file: string): Stats | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats?.isFile() === true ? stats : undefined;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new AppError('not-ready', `${file} cannot be looked at (${why})`, { retry: 'safe', cause });
  }
}

/** Says in which direction the file's schema differs from this program's; undefined when they are of one version. */
function schemaRefusal(handle: SqlHandle, file: string, migrations: readonly MigrationClass[]): string | undefined {
  const wanted = migrations.map((Migration) => new Migration().name ?? Migration.name);
  const isThere = handle.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get() !== undefined;
  const done = isThere ? handle.prepare<[], string>('SELECT name FROM migrations').pluck().all() : [];
  const unknown = done.find((name) => !wanted.includes(name));
  if (unknown !== undefined) {
    return `${file} is of a newer version (it has seen ${unknown}): start a reader of the app's version`;
  }
  const missing = wanted.find((name) => !done.includes(name));
  if (missing === undefined) {
    const begun = handle.prepare<[], string>('SELECT incarnation FROM meta').pluck().get();
    return (begun ?? null) === null
      ? `${file} was never opened by an app of this version: start the app first`
      : undefined;
  }
  return `${file} is of an older version (it has not seen ${missing}): start the app of this version first, which migrates it`;
}
