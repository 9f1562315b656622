import { dirname, join } from 'node:path';
import {
  AppError,
  type CrashSites,
  type Disk,
  type NextTurn,
  storageFull,
  type ChainPosition,
} from '../../kernel/index.js';
import { isDiskFull } from '../journal/index.js';
import type { CollectionDeclaration } from './document-op.js';
import { SnapshotCodec } from './snapshot-codec.js';
import { SnapshotFile } from './snapshot-file.js';
import { storeStream } from './snapshot-stream.js';

interface IncomingPorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
  readonly nextTurn: NextTurn;
}

/** An incoming snapshot: written beside existing data, checked completely, and only then moved into place. */
export class IncomingSnapshot {
  private isTaken = false;
  private whole: ChainPosition | undefined;
  private readonly path: string;

  constructor(
    private readonly ports: IncomingPorts,
    private readonly directory: string,
    private readonly collections: readonly CollectionDeclaration[],
  ) {
    this.path = join(directory, 'documents.json');
  }

  /** The position of the received snapshot, durable and checked; undefined until there is one. */
  get received(): ChainPosition | undefined {
    return this.whole;
  }

  /** A snapshot that an earlier process received is useless because its purpose is unknown. */
  async discard(): Promise<void> {
    const { disk } = this.ports;
    const names = await disk.list(this.directory);
    for (const name of names) await disk.remove(join(this.directory, name));
    if (names.length > 0) await disk.synchronizeDirectory(this.directory);
  }

  /**
   * Replaces any earlier snapshot. Durable and checked when it resolves with its position. Rejects with `conflict` during another
   * transfer, `data-corrupt` if the snapshot is not whole, `storage-full`, or what `chunks` throws; nothing of it remains then.
   */
  receive(chunks: AsyncIterable<Uint8Array>): Promise<ChainPosition> {
    return this.exclusively(async () => {
      const { disk, crashSites } = this.ports;
      this.whole = undefined;
      try {
        await disk.ensureDirectory(this.directory);
        await this.write(chunks);
        const snapshot = await new SnapshotFile(this.ports, this.path, new SnapshotCodec(this.collections)).read();
        if (snapshot === null) throw new Error(`${this.path} is missing`);
        await disk.synchronizeDirectory(this.directory);
        crashSites.reach('incoming.directory.after');
        const { epoch, seq, hash } = snapshot.meta;
        this.whole = { epoch, seq, hash };
        return this.whole;
      } catch (error) {
        await disk.remove(this.path);
        throw isDiskFull(error) ? storageFull(error) : error;
      }
    });
  }

  /** Moves the received snapshot over the file at `target` in one step; durable when it resolves. */
  moveTo(target: string): Promise<void> {
    return this.exclusively(async () => {
      const { disk, crashSites } = this.ports;
      this.whole = undefined;
      crashSites.reach('install.rename.before');
      await disk.rename(this.path, target);
      crashSites.reach('install.rename.after');
      await disk.synchronizeDirectory(dirname(target));
      await disk.synchronizeDirectory(this.directory);
      crashSites.reach('install.directory.after');
    });
  }

  private async exclusively<T>(task: () => Promise<T>): Promise<T> {
    if (this.isTaken) {
      throw new AppError('conflict', 'another snapshot is already arriving', { retry: 'safe', retryAfterSeconds: 1 });
    }
    this.isTaken = true;
    try {
      return await task();
    } finally {
      this.isTaken = false;
    }
  }

  private async write(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { disk, crashSites } = this.ports;
    crashSites.reach('incoming.write.before');
    await storeStream(disk, this.path, chunks);
    crashSites.reach('incoming.synchronize.after');
  }
}
