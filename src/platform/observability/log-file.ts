import { copyFile, ftruncate, rename, rm, stat } from 'node:fs';
import { createReadStream, createWriteStream, fstatSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const MEBIBYTE = 1024 * 1024;
const LOOK_FOR_ROOM_EVERY_MS = 1_000;

export interface LogFileLimits {
  /** A file that would exceed this size is rotated. */
  readonly maxBytes: number;
  /** How many earlier files are kept beside it, the newest as `<path>.1`. */
  readonly kept: number;
  /** Nothing is written while the disk has less free room, which is reserved for the data. */
  readonly reserveBytes: number;
  readonly freeBytes: (directory: string) => Promise<number>;
}

export const LOG_FILE_LIMITS: LogFileLimits = {
  maxBytes: 8 * MEBIBYTE,
  kept: 3,
  reserveBytes: 16 * MEBIBYTE,
  freeBytes: async (directory) => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
};

/**
 * The file that a descriptor appends to, kept small. It must stay the same file, because standard error goes to it as well and
 * the process's starter reads it: so the content is copied away and the file emptied.
 */
export class LogFile {
  private size: number;
  private hasRoom = true;
  private nextLookMs = 0;

  private constructor(
    private readonly descriptor: number,
    private readonly path: string,
    private readonly limits: LogFileLimits,
  ) {
    this.size = fstatSync(descriptor).size;
  }

  /** Undefined when the descriptor does not refer to this file, which is then not this process's to maintain. */
  static of(descriptor: number, path: string, limits: LogFileLimits = LOG_FILE_LIMITS): LogFile | undefined {
    try {
      const [here, there] = [fstatSync(descriptor), statSync(path)];
      return here.dev === there.dev && here.ino === there.ino ? new LogFile(descriptor, path, limits) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether this many bytes may be written now; makes room in the file first. Never rejects. */
  async admits(bytes: number): Promise<boolean> {
    try {
      const nowMs = performance.now();
      if (nowMs >= this.nextLookMs) {
        this.hasRoom = (await this.limits.freeBytes(dirname(this.path))) >= this.limits.reserveBytes;
        this.nextLookMs = nowMs + LOOK_FOR_ROOM_EVERY_MS;
      }
      if (this.size + bytes > this.limits.maxBytes) await this.beginAnew();
      if (this.hasRoom) this.size += bytes;
    } catch {
      // When maintenance fails, the file still accepts lines as long as it may grow.
    }
    return this.hasRoom && this.size <= this.limits.maxBytes;
  }

  private async beginAnew(): Promise<void> {
    const { kept, maxBytes } = this.limits;
    const earlier = (number: number): string => `${this.path}.${String(number)}`;
    for (let number = kept - 1; number >= 1; number -= 1) {
      await promisify(rename)(earlier(number), earlier(number + 1)).catch(() => undefined);
    }
    try {
      // A file from before this limit may have any size; only its end is kept.
      const { size } = await promisify(stat)(this.path);
      if (!this.hasRoom || kept === 0) throw new Error('no room to keep it');
      if (size <= 2 * maxBytes) await promisify(copyFile)(this.path, earlier(1));
      else {
        const end = createReadStream(this.path, { start: size - maxBytes });
        await pipeline(end, createWriteStream(earlier(1), { mode: 0o600 }));
      }
    } catch {
      await promisify(rm)(earlier(1), { force: true }).catch(() => undefined);
    }
    await promisify(ftruncate)(this.descriptor, 0);
    this.size = 0;
  }
}
