import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Log, Timers } from '../../kernel/index.js';
import type { DataFiles } from '../../platform/data-files/index.js';
import { logBytesOf } from '../../platform/sql/index.js';
import type { SealedTable } from '../../platform/sql-check/index.js';

/** Damage that is there at the start is found soon, and not while everything else begins. */
const FIRST_AFTER_MS = 1_000;
const EXIT_DAMAGED = 3;
const LOOK_AT_LOG_EVERY_MS = 100;
/** By so much the write-ahead log may grow while a check holds on to it, and after each that was ended by twice as much. */
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
  /** What reads through the file once, as `src/main/checker` does. */
  readonly program: () => string;
  /** From the end of one check to the beginning of the next; 0: never. */
  readonly everyMs: number;
}

/**
 * Reads through the whole database again and again, in a process of its own: it has the lowest priority, blocks nobody
 * here however large a table is, and can be ended at any time.
 *
 * SQLite keeps in its log whatever is written while a statement reads, and a table is checked by one statement. So a check
 * is ended when the log has grown too much, and the next has more patience: a busy database is checked at last as well.
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

  /** Resolves when nothing of a check is left that holds the database open. */
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
      // Another process would make a new index of the log where that is gone, and take the two for one.
      this.ports.files.look();
      if (this.ports.files.problem === undefined) this.check();
      else this.after(this.options.everyMs);
    });
  }

  private check(): void {
    const { file, sealed, program, everyMs } = this.options;
    let said = '';
    let ended: string | undefined;
    // Its input ends with this process.
    this.child = spawn(process.execPath, [program(), file, JSON.stringify(sealed)], { stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    this.endWhenLogHasGrown(this.child, logBytesOf(file), (grown) => {
      ended = `it was ended, because ${file}-wal grew by ${String(grown)} bytes of writes meanwhile`;
    });
    this.child
      .on('error', (error) => (said = error.message))
      .on('close', (code) => {
        this.cancel();
        this.child = undefined;
        this.patience = ended !== undefined ? Math.min(2 * this.patience, MAX_PATIENCE) : 1;
        if (code === EXIT_DAMAGED) this.ports.files.damaged(file, said);
        else if (code !== 0)
          this.ports.log.warn('the database was not checked this time', { file, reason: ended ?? said });
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
