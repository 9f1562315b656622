import { type Stats, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { AppError, type Log, type Timers } from '../../kernel/index.js';

interface KeptFile {
  readonly device: number;
  readonly inode: number;
  readonly bornAtMs: number;
  /** The file may grow but must not shrink below this size. */
  bytes: number;
  mayShrink: boolean;
}

const RETRY_AFTER_SECONDS = 5;
/** Looking at ten files takes about 50 microseconds, a tenth of a single commit. */
const LOOKS_LAST_MS = 50;
/** Twice the resolution with which file systems record modification times. */
const TIME_STEP_MS = 20;
/** No disk in order takes so long. */
const SLOW_SYNCHRONIZATION_MS = 1_000;
const STOP_AND_RESTORE = 'stop this process, restore a good copy and start again';

/**
 * Watches over the files that a process keeps its data in. It identifies each file by device and inode, and it only calls `stat`,
 * because opening and closing a file drops SQLite's locks on it.
 *
 * While a file is replaced, missing or damaged, there is a `problem` and writes are refused, because an acknowledged write could
 * not be found again. Putting a file back solves the problem; damage remains a problem until the process restarts.
 */
export class DataFiles {
  private readonly kept = new Map<string, KeptFile>();
  private damage: string | undefined;
  private lost: string | undefined;
  private lookedAtMs = -Infinity;
  /** By directory: when its names last changed, as of a look that found all of its files. */
  private readonly quietSinceMs = new Map<string, number>();

  /** The synchronizations under way, the oldest first. */
  private readonly synchronizing = new Set<{ readonly path: string; readonly sinceMs: number }>();

  constructor(private readonly log: Log) {}

  /** From now on `path` must remain the same file. This has no effect on a missing file or one that is already kept. */
  keep(path: string, { mayShrink = false } = {}): void {
    if (this.kept.has(path)) return;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return;
    const { dev: device, ino: inode, birthtimeMs: bornAtMs, size: bytes } = stats;
    this.kept.set(path, { device, inode, bornAtMs, bytes, mayShrink });
  }

  /** Announces that this process is about to remove or rename `path` or everything in it. */
  forget(path: string): void {
    this.kept.delete(path);
    for (const other of this.kept.keys()) if (other.startsWith(`${path}${sep}`)) this.kept.delete(other);
  }

  /** Announces that this process cuts the file to `bytes`. A look during `cut` accepts either length. */
  async whileCut(path: string, bytes: number, cut: () => Promise<void>): Promise<void> {
    const file = this.kept.get(path);
    if (!file) return cut();
    const { mayShrink } = file;
    file.mayShrink = true;
    try {
      await cut();
    } finally {
      Object.assign(file, { bytes, mayShrink });
    }
  }

  /** Knows for how long the disk takes to `synchronize`. */
  async whileSynchronized(path: string, synchronize: () => Promise<void>): Promise<void> {
    const one = { path, sinceMs: performance.now() };
    this.synchronizing.add(one);
    try {
      await synchronize();
    } finally {
      this.synchronizing.delete(one);
    }
  }

  /** Names the file whose fsync has not returned for more than a second; undefined when there is none. */
  get slowSynchronization(): string | undefined {
    const [oldest] = this.synchronizing;
    if (oldest === undefined || performance.now() - oldest.sinceMs < SLOW_SYNCHRONIZATION_MS) return undefined;
    return `the fsync of ${oldest.path} has not returned for more than a second: the disk is slow, and writes wait for it`;
  }

  watch(timers: Timers, everyMs: number): () => void {
    let cancel: () => void = () => undefined;
    const next = (): void => {
      cancel = timers.after(everyMs, () => {
        this.look();
        next();
      });
    };
    next();
    return () => {
      cancel();
    };
  }

  look(): void {
    this.lookedAtMs = performance.now();
    const lost = this.firstLost(this.kept.keys());
    if (lost === undefined && this.lost !== undefined)
      this.log.info('the data files are in place again; writes are accepted');
    this.lost = lost;
  }

  /** Looks now and describes how one of these files was lost; it may miss a cut. Undefined when none is lost. */
  lostAmong(paths: readonly string[]): string | undefined {
    if (this.lost !== undefined) return this.firstLost(paths);
    let quiet: string | undefined;
    for (const path of paths) {
      const directory = dirname(path);
      if (directory !== quiet && !this.isQuiet(directory)) return this.firstLost(paths);
      quiet = directory;
    }
    return undefined;
  }

  /** Checks with one `stat` that no name in the directory has changed since a look found all of its files. */
  private isQuiet(directory: string): boolean {
    const changedMs = statSync(directory, { throwIfNoEntry: false })?.mtimeMs;
    if (changedMs !== undefined && changedMs === this.quietSinceMs.get(directory)) return true;
    const lost = this.firstLost([...this.kept.keys()].filter((path) => dirname(path) === directory));
    // Another change within one clock step would not alter the recorded time.
    const isSettled = changedMs !== undefined && Date.now() - changedMs > TIME_STEP_MS;
    if (lost === undefined && isSettled) this.quietSinceMs.set(directory, changedMs);
    return lost === undefined;
  }

  private lookIfLongAgo(): void {
    if (performance.now() - this.lookedAtMs > LOOKS_LAST_MS) this.look();
  }

  private firstLost(paths: Iterable<string>): string | undefined {
    for (const path of paths) {
      const file = this.kept.get(path);
      const fate = file && fateOf(file, statSync(path, { throwIfNoEntry: false }));
      if (fate === undefined) continue;
      const lost = `${path} ${fate} while it was in use: put it back unchanged, or ${STOP_AND_RESTORE}`;
      if (this.lost !== lost) this.log.warn('the process refuses all writes', { problem: lost });
      this.lost = lost;
      return lost;
    }
    return undefined;
  }

  /** Records damage (`what`) in `file` as a lasting problem and returns the error for the request that met it. */
  damaged(file: string, what: string, cause?: unknown): AppError {
    const damage = `${file} is damaged (${what}): ${STOP_AND_RESTORE}`;
    if (this.damage === undefined) this.log.warn('the process refuses all writes', { problem: damage });
    this.damage ??= damage;
    return refusalOf(damage, cause);
  }

  /** Names the file and says what to do; undefined when no problem is known. */
  get problem(): string | undefined {
    return this.damage ?? this.lost;
  }

  /** Same as `refusal`, but looks first unless the last look was a few milliseconds ago. */
  refusalNow(): AppError | undefined {
    this.lookIfLongAgo();
    return this.refusal;
  }

  /** The error with which a write must be rejected before it does anything; undefined when writes are allowed. */
  get refusal(): AppError | undefined {
    return this.problem === undefined ? undefined : refusalOf(this.problem);
  }
}

function fateOf(file: KeptFile, now: Stats | undefined): string | undefined {
  if (now === undefined) return 'was removed or renamed';
  if (!isSame(file, now)) return 'was replaced by another file';
  if (now.size < file.bytes && !file.mayShrink)
    return `was cut from ${String(file.bytes)} to ${String(now.size)} bytes`;
  file.bytes = now.size;
  return undefined;
}

/** A new file may reuse an inode number. File systems that record no birth time report the change time instead. */
function isSame({ device, inode, bornAtMs }: KeptFile, now: Stats): boolean {
  if (now.ino !== inode || now.dev !== device || !now.isFile()) return false;
  return now.birthtimeMs === bornAtMs || now.birthtimeMs === now.ctimeMs;
}

function refusalOf(problem: string, cause?: unknown): AppError {
  return new AppError('storage-damaged', `${problem}; nothing was written`, {
    retry: 'safe',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    ...(cause !== undefined && { cause }),
  });
}
