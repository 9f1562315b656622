import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { AppError, type CrashSites, type Disk } from '../../kernel/index.js';

const FORMAT = 1;
const CHECKSUM_TAIL = /,"_checksum":"([0-9a-f]{8})"\}\n$/;

interface PromiseFilePorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
}

/** One small file that is always whole, old or new: written beside it, synchronised, renamed over it. */
export class PromiseFile<Promised extends object> {
  constructor(
    private readonly ports: PromiseFilePorts,
    private readonly path: string,
  ) {}

  /** Undefined when there is no file. Throws `data-corrupt`: a promise that cannot be read must not be broken. */
  async read(): Promise<Promised | undefined> {
    const text = (await this.ports.disk.read(this.path))?.toString('utf8');
    if (text === undefined) return undefined;
    const tail = CHECKSUM_TAIL.exec(text);
    const body = text.slice(0, text.length - (tail?.[0].length ?? 0));
    if (tail?.[1] !== checksumOf(body)) throw this.corrupt('the checksum at its end does not fit');
    const { format, ...promise } = JSON.parse(`${body}}`) as Promised & { readonly format: number };
    if (format !== FORMAT) throw this.corrupt(`unknown format ${String(format)}`);
    return promise as unknown as Promised;
  }

  /** Durable when it resolves. When it fails, the old promise or the new one stands. */
  async write(promise: Promised): Promise<void> {
    const { disk, crashSites } = this.ports;
    const body = JSON.stringify({ format: FORMAT, ...promise }).slice(0, -1);
    const temporary = `${this.path}.tmp`;
    crashSites.reach('promise.write.before');
    try {
      await this.writeTo(temporary, `${body},"_checksum":"${checksumOf(body)}"}\n`);
    } catch (error) {
      await disk.remove(temporary);
      throw error;
    }
    crashSites.reach('promise.synchronize.after');
    await disk.rename(temporary, this.path);
    crashSites.reach('promise.rename.after');
    await disk.synchronizeDirectory(dirname(this.path));
    crashSites.reach('promise.directory.after');
  }

  private async writeTo(path: string, text: string): Promise<void> {
    const file = await this.ports.disk.open(path);
    try {
      await file.truncate(0);
      await file.write(Buffer.from(text), 0);
      await file.synchronize();
    } finally {
      await file.close();
    }
  }

  private corrupt(why: string): AppError {
    return new AppError('data-corrupt', `${this.path}: ${why}`, { retry: 'never' });
  }
}

function checksumOf(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
