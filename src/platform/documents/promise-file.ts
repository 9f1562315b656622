import { crc32 } from 'node:zlib';
import { AppError, type CrashSites, type Disk } from '../../kernel/index.js';
import { replaceFile } from '../disk/index.js';

const FORMAT = 1;
const CHECKSUM_TAIL = /,"_checksum":"([0-9a-f]{8})"\}\n$/;

interface PromiseFilePorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
}

/** One small file that is always whole, either old or new. */
export class PromiseFile<Promised extends object> {
  constructor(
    private readonly ports: PromiseFilePorts,
    private readonly path: string,
  ) {}

  /** Undefined when there is no file. Throws `data-corrupt`, because an unreadable promise must not be broken. */
  async read(): Promise<Promised | undefined> {
    const text = (await this.ports.disk.read(this.path))?.toString('utf8');
    if (text === undefined) return undefined;
    const tail = CHECKSUM_TAIL.exec(text);
    const body = text.slice(0, text.length - (tail?.[0].length ?? 0));
    if (tail?.[1] !== checksumOf(body)) throw this.corrupt('the checksum at its end does not match');
    const { format, ...promise } = JSON.parse(`${body}}`) as Promised & { readonly format: number };
    if (format !== FORMAT) throw this.corrupt(`unknown format ${String(format)}`);
    return promise as unknown as Promised;
  }

  /** Durable when it resolves. If it fails, the file holds the old promise or the new one. */
  async write(promise: Promised): Promise<void> {
    const { disk, crashSites } = this.ports;
    const body = JSON.stringify({ format: FORMAT, ...promise }).slice(0, -1);
    const bytes = Buffer.from(`${body},"_checksum":"${checksumOf(body)}"}\n`);
    crashSites.reach('promise.write.before');
    await replaceFile(
      disk,
      this.path,
      (file) => file.write(bytes, 0),
      (step) => {
        if (step === 'synchronize') crashSites.reach('promise.synchronize.after');
        else if (step === 'rename') crashSites.reach('promise.rename.after');
        else crashSites.reach('promise.directory.after');
      },
    );
  }

  private corrupt(why: string): AppError {
    return new AppError('data-corrupt', `${this.path}: ${why}`, { retry: 'never' });
  }
}

function checksumOf(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
