import { crc32 } from 'node:zlib';
import type { Adapter } from 'lowdb';
import { replaceFile } from '../disk/index.js';
import { AppError, type CrashSites, type Disk, type NextTurn, type DiskFile } from '../../kernel/index.js';
import { ByteBatch } from './byte-batch.js';

const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 16 * 1024 * 1024;
const CHECKSUM_TAIL = /,"_checksum":"([0-9a-f]{8})"\}\n?$/;
const TAIL_BYTES = ',"_checksum":"00000000"}\n'.length;

export const SNAPSHOT_CRASH_SITES = [
  'snapshot.write.before',
  'snapshot.write.after',
  'snapshot.synchronize.after',
  'snapshot.rename.after',
  'snapshot.directory.after',
] as const;

export interface SnapshotFilePorts {
  readonly disk: Disk;
  readonly nextTurn: NextTurn;
  readonly crashSites: CrashSites;
}

/** The file format of data: a JSON object whose closing brace both methods leave out. */
export interface FileCodec<T> {
  /** Yields quickly made pieces. The consumer must not change or keep the bytes. */
  encode(data: T): Iterable<string | Buffer>;
  /** The result may share the memory of `body`. */
  decode(body: Buffer, path: string): T;
}

/**
 * A durable adapter for lowdb: one JSON object per file, ending with a CRC-32 of everything before it. A write synchronises a
 * temporary file and renames it over the old one, so that the file is always whole, old or new. The new file is durable when
 * `write` resolves. Writing large data takes many turns of the event loop, and the data must not change meanwhile.
 */
export class SnapshotFile<T extends object> implements Adapter<T> {
  private bytesWritten = 0;
  private isWriting = false;

  constructor(
    private readonly ports: SnapshotFilePorts,
    private readonly path: string,
    private readonly codec: FileCodec<T>,
  ) {}

  /** The file's size in bytes when last read or written; 0 before. */
  get size(): number {
    return this.bytesWritten;
  }

  /** Null when there is no file. Throws `data-corrupt` when the file is not whole. */
  async read(): Promise<T | null> {
    const bytes = await this.ports.disk.read(this.path);
    if (bytes === undefined) return null;
    const tail = CHECKSUM_TAIL.exec(bytes.toString('latin1', Math.max(0, bytes.length - TAIL_BYTES)));
    const body = bytes.subarray(0, bytes.length - (tail?.[0].length ?? 0));
    if (tail?.[1] !== hex(await this.checksumOf(body))) {
      throw new AppError(
        'data-corrupt',
        `${this.path}: the checksum at its end does not match its ${String(bytes.length)} bytes`,
        {
          retry: 'never',
        },
      );
    }
    this.bytesWritten = bytes.length;
    return this.codec.decode(body, this.path);
  }

  /** Learns the size, as `read` does, without reading. */
  async passOver(): Promise<void> {
    const reader = await this.ports.disk.openForReading(this.path);
    try {
      this.bytesWritten = (await reader?.size()) ?? 0;
    } finally {
      await reader?.close();
    }
  }

  /** Spreads a large file over many turns of the event loop. */
  private async checksumOf(body: Buffer): Promise<number> {
    let checksum = 0;
    for (let offset = 0; offset < body.length; offset += READ_BYTES) {
      checksum = crc32(body.subarray(offset, offset + READ_BYTES), checksum);
      await new Promise<void>((resolve) => {
        this.ports.nextTurn(resolve);
      });
    }
    return checksum;
  }

  /** If it fails, the file is whole, old or new, and takes no extra space. A second write while one runs is refused. */
  async write(data: T): Promise<void> {
    if (this.isWriting) throw new Error(`${this.path} is already being written`);
    this.isWriting = true;
    try {
      await this.replace(data);
    } finally {
      this.isWriting = false;
    }
  }

  private async replace(data: T): Promise<void> {
    const { disk, crashSites } = this.ports;
    let bytesWritten = 0;
    crashSites.reach('snapshot.write.before');
    await replaceFile(
      disk,
      this.path,
      async (file) => {
        bytesWritten = await this.writeTo(file, data);
        crashSites.reach('snapshot.write.after');
      },
      (step) => {
        if (step === 'synchronize') crashSites.reach('snapshot.synchronize.after');
        else if (step === 'rename') crashSites.reach('snapshot.rename.after');
        else crashSites.reach('snapshot.directory.after');
      },
    );
    this.bytesWritten = bytesWritten;
  }

  /** Resolves with the file's size in bytes. */
  private async writeTo(file: DiskFile, data: T): Promise<number> {
    const batch = new ByteBatch(2 * WRITE_BYTES);
    let offset = 0;
    let checksum = 0;
    const flush = async (): Promise<void> => {
      const bytes = batch.take();
      checksum = crc32(bytes, checksum);
      await file.write(bytes, offset);
      offset += bytes.length;
    };
    for (const piece of this.codec.encode(data)) {
      if (typeof piece === 'string') batch.addText(piece);
      else batch.addBytes(piece);
      if (batch.size < WRITE_BYTES) continue;
      await flush();
      await new Promise<void>((resolve) => {
        this.ports.nextTurn(resolve);
      });
    }
    await flush();
    batch.addText(`,"_checksum":"${hex(checksum)}"}\n`);
    await flush();
    return offset;
  }
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
