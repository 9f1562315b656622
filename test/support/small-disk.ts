import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from './app-process.js';

const BLOCK = Buffer.alloc(4_096);

/** A real file system of its own that can be filled up. Needs the right to mount. */
export class SmallDisk {
  private constructor(readonly path: string) {}

  /** Throws when this machine does not let us mount. */
  static mount(sizeBytes: number, path = temporaryDirectory()): SmallDisk {
    mkdirSync(path, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(sizeBytes)},mode=700`, 'tmpfs', path], {
        stdio: 'pipe',
      });
    } catch (error) {
      removeDirectory(path);
      throw error;
    }
    return new SmallDisk(path);
  }

  /** Undefined, said loudly, where this machine does not let us mount; throws there in CI. */
  static mountOrSayWhy(sizeBytes: number): SmallDisk | undefined {
    try {
      return SmallDisk.mount(sizeBytes);
    } catch (error) {
      if (process.env['CI'] !== undefined) throw error;
      process.stderr.write(
        `\n\n!!! NOT TESTED: a full disk, as this machine lets us mount none: ${String(error)}\n\n\n`,
      );
      return undefined;
    }
  }

  /** Leaves not one block. */
  fill(): void {
    const file = openSync(this.filler, 'a');
    try {
      for (;;) writeSync(file, BLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.filler, { force: true });
  }

  unmount(): void {
    // Lazily: what a killed process had started may hold a file for a moment longer.
    execFileSync('umount', ['--lazy', this.path], { stdio: 'pipe' });
    removeDirectory(this.path);
  }

  private get filler(): string {
    return join(this.path, 'filler');
  }
}
