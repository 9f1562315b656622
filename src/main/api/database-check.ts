import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Log, Timers } from '../../kernel/index.js';
import type { DataFiles } from '../../platform/data-files/index.js';
import { logBytesOf } from '../../platform/sql/index.js';
import type { SealedTable } from '../../platform/sql-check/index.js';

/** The first check runs early, to find existing damage, but after the rest of the start. */
const FIRST_AFTER_MS = 1_000;
const EXIT_DAMAGED = 3;
const LOOK_AT_LOG_EVERY_MS = 100;
/** The log may grow this much while a check reads; each check that is ended early doubles the limit of the next. */
const LOG_MAY_GROW_BYTES = 10 * 2 ** 20;
const MAX_PATIENCE = 8;

export interface DatabaseCheckPorts {
  readonly timers: Timers;
  readonly log: Log;
  readonly files: DataFiles;
}

export interface DatabaseCheckOptions {
  readonly file: string;
  readonly sealed: readonly SealedTable[];
  /** The path of a program that reads the file once, as `src/main/checker` does. */
  readonly program: () => string;
  /** From the end of one check to the start of the next; 0 disables checks. */
  readonly everyMs: number;
}

/**
 * Checks the whole database repeatedly in a separate process, which has the lowest priority, blocks nothing here and can be ended
 * at any time. SQLite keeps every write in its log while a statement reads, and one statement checks a table. A check therefore
 * ends when the log has grown too much, and the next one has more patience, so that even a busy database is checked in the end.
 */
export class DatabaseCheck {
  private cancel: () => void = () => undefined;
  private child: ChildProcess | undefined;
  private patience = 1;

  constructor(
    private readonly ports: DatabaseCheckPorts,
    private readonly options: DatabaseCheckOptions,
  ) {}

  begin(): void {
    const { everyMs } = this.options;
    if (everyMs > 0) this.after(Math.min(everyMs, FIRST_AFTER_MS));
  }

  /** Resolves when no check holds the database open. */
  async end(): Promise<void> {
    this.cancel();
    const { child } = this;
    if (!child) return;
    child.removeAllListeners('close');
    const gone = child.pid === undefined ? Promise.resolve() : once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  }

  private after(delayMs: number): void {
    this.cancel = this.ports.timers.after(delayMs, () => {
      // If the log's index is gone, another process would create a new one and mistake the two for one.
      this.ports.files.look();
      if (this.ports.files.problem === undefined) this.check();
      else this.after(this.options.everyMs);
    });
  }

  private check(): void {
    const { file, sealed, program, everyMs } = this.options;
    let said = '';
    let ended: string | undefined;
    // The child's input ends with this process.
    this.child = spawn(process.execPath, [program(), file, JSON.stringify(sealed)], { stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    this.endWhenLogHasGrown(this.child, logBytesOf(file), (grown) => {
      ended = `the check was stopped, because ${file}-wal grew by ${String(grown)} bytes meanwhile`;
    });
    this.child
      .on('error', (error) => (said = error.message))
      .on('close', (code) => {
        this.cancel();
        this.child = undefined;
        this.patience = ended !== undefined ? Math.min(2 * this.patience, MAX_PATIENCE) : 1;
        if (code === EXIT_DAMAGED) this.ports.files.damaged(file, said);
        else if (code !== 0)
          this.ports.log.warn('the database check failed; the next one tries again', { file, reason: ended ?? said });
        this.after(everyMs);
      });
  }

  private endWhenLogHasGrown(child: ChildProcess, from: number, ended: (bytes: number) => void): void {
    this.cancel = this.ports.timers.after(LOOK_AT_LOG_EVERY_MS, () => {
      const grown = logBytesOf(this.options.file) - from;
      if (grown <= this.patience * LOG_MAY_GROW_BYTES) {
        this.endWhenLogHasGrown(child, from, ended);
        return;
      }
      ended(grown);
      child.kill('SIGKILL');
    });
  }
}
