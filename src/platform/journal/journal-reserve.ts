import { join } from 'node:path';
import type { Disk, Log } from '../../kernel/index.js';
import { isDiskFull } from './disk-full.js';

export const RESERVE_FILE = 'journal.reserve';

/** A file that only takes up space, given up when records that must not be refused find no room. */
export class JournalReserve {
  private isFilled = false;
  private readonly path: string;

  /** With 0 bytes the reserve is always filled and never helps. */
  constructor(
    private readonly ports: { readonly disk: Disk; readonly log: Log },
    private readonly directory: string,
    private readonly bytes: number,
  ) {
    this.path = join(directory, RESERVE_FILE);
  }

  get canBeReleased(): boolean {
    return this.isFilled;
  }

  /** False, leaving nothing behind, when there is no room. Keeps the reserve of an earlier process. */
  async fill(): Promise<boolean> {
    if (this.isFilled || this.bytes === 0) return true;
    const { disk } = this.ports;
    try {
      const isThere = (await this.sizeOnDisk()) === this.bytes;
      const file = await disk.open(this.path);
      try {
        if (!isThere) await file.write(Buffer.alloc(this.bytes), 0);
        await file.synchronize();
      } finally {
        await file.close();
      }
      this.isFilled = true;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await disk.remove(this.path);
    }
    return this.isFilled;
  }

  async release(): Promise<void> {
    this.ports.log.warn('the disk is full; the journal uses its reserve', { directory: this.directory });
    this.isFilled = false;
    await this.ports.disk.remove(this.path);
  }

  private async sizeOnDisk(): Promise<number> {
    const reader = await this.ports.disk.openForReading(this.path);
    if (reader === undefined) return 0;
    try {
      return await reader.size();
    } finally {
      await reader.close();
    }
  }
}
