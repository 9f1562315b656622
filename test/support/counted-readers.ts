import type { Disk, DiskReader } from '../../src/kernel/index.js';

/** Counts the files that are open for reading on a disk, on which reads may fail. */
export class CountedReaders {
  open = 0;
  /** Thrown instead of a read at that offset. */
  failure: (offset: number) => Error | undefined = () => undefined;

  on(disk: Disk): Disk {
    return new Proxy(disk, {
      get: (target, name): unknown => {
        if (name === 'openForReading') return (path: string) => this.opened(target.openForReading(path));
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  private async opened(opening: Promise<DiskReader | undefined>): Promise<DiskReader | undefined> {
    const reader = await opening;
    if (reader === undefined) return undefined;
    this.open += 1;
    return {
      size: () => reader.size(),
      read: (offset, length) => {
        const error = this.failure(offset);
        return error === undefined ? reader.read(offset, length) : Promise.reject(error);
      },
      close: () => {
        this.open -= 1;
        return reader.close();
      },
    };
  }
}
