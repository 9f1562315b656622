import { type Stats, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { AppError, type Log, type Timers } from '../../kernel/index.js';

interface KeptFile {
  readonly device: number;
  readonly inode: number;
  readonly bornAtMs: number;
  /** It may grow and must not shrink. */
  bytes: number;
  mayShrink: boolean;
}

const RETRY_AFTER_SECONDS = 5;
/** A look at ten files takes some 50 microseconds: nothing once in a while, and a tenth of a single commit. */
const LOOKS_LAST_MS = 50;
/** Twice the steps in which file systems note the time of a change. */
const TIME_STEP_MS = 20;
const STOP_AND_RESTORE = 'stop this process, put a good copy back and start again';

/**
 * The condition of the files that a process keeps its data in. It knows each by device and inode and looks with `stat`
 * alone, since opening and closing a file drops the locks that SQLite has on it.
 *
 * While one of them is not the file it was, or was found damaged, there is a `problem`, and nothing more may be written:
 * it would be acknowledged and never found again. A file that is put back where it was is no problem any more; damage is
 * one until the process starts anew.
 */
export class DataFiles {
  private readonly kept = new Map<string, KeptFile>();
  private damage: string | undefined;
  private lost: string | undefined;
  private lookedAtMs = -Infinity;
  /** By directory, when names in it last changed, as of a look that found all of its files. */
  private readonly quietSinceMs = new Map<string, number>();

  constructor(private readonly log: Log) {}

  /** From now on `path` must stay the very file that it is. No effect on what is not there or kept already. */
  keep(path: string, { mayShrink = false } = {}): void {
    if (this.kept.has(path)) return;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return;
    const { dev: device, ino: inode, birthtimeMs: bornAtMs, size: bytes } = stats;
    this.kept.set(path, { device, inode, bornAtMs, bytes, mayShrink });
  }

  /** This process itself is about to remove or rename it, or all that is in it. */
  forget(path: string): void {
    this.kept.delete(path);
    for (const other of this.kept.keys()) if (other.startsWith(`${path}${sep}`)) this.kept.delete(other);
  }

  /** This process itself cuts it to `bytes`: a look that falls into `cut` finds nothing wrong, whichever length it meets. */
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

  /** Looks at all of them every `everyMs`, until the returned function is called. */
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

  /** Looks now, at all of them. */
  look(): void {
    this.lookedAtMs = performance.now();
    const lost = this.firstLost(this.kept.keys());
    if (lost === undefined && this.lost !== undefined)
      this.log.info('the files are as they were; writes are taken again');
    this.lost = lost;
  }

  /** What has become of one of these, as of now, but for a cut; undefined when nothing has. */
  lostAmong(paths: readonly string[]): string | undefined {
    const directories = new Set(paths.map((path) => dirname(path)));
    if (this.lost === undefined && [...directories].every((directory) => this.isQuiet(directory))) return undefined;
    return this.firstLost(paths);
  }

  /**
   * Whether all files in it were there at an earlier look, and since then no name in it was removed, changed or added: that
   * takes one `stat`, instead of one for each file.
   */
  private isQuiet(directory: string): boolean {
    const changedMs = statSync(directory, { throwIfNoEntry: false })?.mtimeMs;
    if (changedMs !== undefined && changedMs === this.quietSinceMs.get(directory)) return true;
    const lost = this.firstLost([...this.kept.keys()].filter((path) => dirname(path) === directory));
    // Within one step of the clock another change would leave the time as it is.
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
      const lost = `${path} ${fate} while it was in use: put it back as it was, or ${STOP_AND_RESTORE}`;
      if (this.lost !== lost) this.log.warn('nothing is written any more', { problem: lost });
      this.lost = lost;
      return lost;
    }
    return undefined;
  }

  /** `what` was found in `file`: stays a problem. What a request that met it is answered with. */
  damaged(file: string, what: string, cause?: unknown): AppError {
    const damage = `${file} is damaged (${what}): ${STOP_AND_RESTORE}`;
    if (this.damage === undefined) this.log.warn('nothing is written any more', { problem: damage });
    this.damage ??= damage;
    return refusalOf(damage, cause);
  }

  /** In words, with the file and what to do; undefined when all is well as far as is known. */
  get problem(): string | undefined {
    return this.damage ?? this.lost;
  }

  /** As `refusal`, after a look if the last one was some milliseconds ago. */
  refusalNow(): AppError | undefined {
    this.lookIfLongAgo();
    return this.refusal;
  }

  /** What a write is answered with, and nothing of it is done; undefined when it may be done. */
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

/** A new file may get the number of one that is gone. Where file systems do not note when a file was born, they give another time. */
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
