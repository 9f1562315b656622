import type { DiskFile } from '../../kernel/index.js';
import { NodeDisk } from './node-disk.js';

/** Counts calls that make something durable. */
export class CountingDisk extends NodeDisk {
  synchronized = 0;

  override async open(path: string): Promise<DiskFile> {
    return this.counting(await super.open(path));
  }

  override async create(path: string): Promise<DiskFile> {
    return this.counting(await super.create(path));
  }

  private counting(file: DiskFile): DiskFile {
    return {
      write: (bytes, offset) => file.write(bytes, offset),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
      synchronize: async () => {
        await file.synchronize();
        this.synchronized += 1;
      },
    };
  }
}
