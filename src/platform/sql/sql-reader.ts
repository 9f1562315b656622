import type { Statement } from 'better-sqlite3';
import type { NextTurn } from '../../kernel/index.js';
import type { SqlHandle } from './sql-handle.js';

export interface Versioned<T> {
  readonly generation: number;
  readonly value: T;
}

/**
 * Reads that know how fresh they are. Each table that caches depend on has a generation, which the commit that changes it moves.
 * SQLite's `data_version` tells this connection of any other commit, so the generation is looked up again exactly when it may
 * have moved, whichever process moved it.
 *
 * Asking SQLite takes several system calls, so one answer serves a whole event-loop turn, unless this process commits in the
 * meantime (`noticeCommit`). Requests handled in one turn began to arrive before it, so when they were sent, no commit that
 * another process makes during the turn had been answered. (A client that pipelines over one connection while it watches a second
 * process could tell the difference.)
 */
export class SqlReader {
  private readonly dataVersion: Statement<[], number>;
  private readonly generation: Statement<[string], number>;
  private readonly begin: Statement<[]>;
  private readonly end: Statement<[]>;
  private seenDataVersion = -1;
  private isChecked = false;
  private readonly generations = new Map<string, number>();

  /** `handle` is for preparing read statements; no caller may leave a transaction open on it. */
  constructor(
    readonly handle: SqlHandle,
    private readonly nextTurn: NextTurn,
  ) {
    this.dataVersion = handle.prepare<[], number>('PRAGMA data_version').pluck();
    this.generation = handle
      .prepare<[string], number>('SELECT generation FROM generations WHERE table_name = ?')
      .pluck();
    this.begin = handle.prepare('BEGIN');
    this.end = handle.prepare('COMMIT');
  }

  /** At least as new as every commit that was durable before the call. A table never touched is at 0. */
  currentGeneration(table: string): number {
    if (!this.isChecked) this.checkDataVersion();
    const known = this.generations.get(table);
    if (known !== undefined) return known;
    const generation = this.generation.get(table) ?? 0;
    this.generations.set(table, generation);
    return generation;
  }

  /** Call it when a commit of this process is durable, before the answer. */
  noticeCommit(): void {
    this.isChecked = false;
  }

  /** Runs `load`, which must be synchronous, and reads the table's generation in the same read transaction. */
  loadVersioned<T>(table: string, load: () => T): Versioned<T> {
    this.begin.run();
    try {
      return { generation: this.generation.get(table) ?? 0, value: load() };
    } finally {
      this.end.run();
    }
  }

  private checkDataVersion(): void {
    const dataVersion = this.dataVersion.get() ?? 0;
    if (dataVersion !== this.seenDataVersion) {
      this.seenDataVersion = dataVersion;
      this.generations.clear();
    }
    this.isChecked = true;
    this.nextTurn(() => {
      this.isChecked = false;
    });
  }
}
