import type { Disk, DiskFile, DiskReader } from '../../kernel/index.js';
import type { DataFiles } from './data-files.js';

/** Files used through this disk must stay in place until it moves them; else `files` reports it and writes are not durable. */
export class WatchedDisk implements Disk {
  constructor(
    private readonly disk: Disk,
    private readonly files: DataFiles,
  ) {}

  ensureDirectory(path: string): Promise<void> {
    return this.disk.ensureDirectory(path);
  }

  list(directory: string): Promise<readonly string[]> {
    return this.disk.list(directory);
  }

  listDirectories(directory: string): Promise<readonly string[]> {
    return this.disk.listDirectories(directory);
  }

  async read(path: string): Promise<Buffer | undefined> {
    const bytes = await this.disk.read(path);
    this.files.keep(path);
    return bytes;
  }

  async openForReading(path: string): Promise<DiskReader | undefined> {
    const reader = await this.disk.openForReading(path);
    this.files.keep(path);
    return reader;
  }

  async open(path: string): Promise<DiskFile> {
    const file = await this.disk.open(path);
    this.files.keep(path);
    return new WatchedFile(file, path, this.files);
  }

  async create(path: string): Promise<DiskFile> {
    const file = await this.disk.create(path);
    this.files.keep(path);
    return new WatchedFile(file, path, this.files);
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.forget(from);
    this.files.forget(to);
    await this.disk.rename(from, to);
    this.files.keep(to);
  }

  async remove(path: string): Promise<void> {
    this.files.forget(path);
    await this.disk.remove(path);
  }

  synchronizeDirectory(directory: string): Promise<void> {
    return this.disk.synchronizeDirectory(directory);
  }
}

class WatchedFile implements DiskFile {
  constructor(
    private readonly file: DiskFile,
    private readonly path: string,
    private readonly files: DataFiles,
  ) {}

  write(bytes: Uint8Array, offset: number): Promise<void> {
    return this.file.write(bytes, offset);
  }

  /** Rejects when the bytes would be durable in a file that is no longer at its path. */
  async synchronize(): Promise<void> {
    await this.files.whileSynchronized(this.path, () => this.file.synchronize());
    const lost = this.files.lostAmong([this.path]);
    if (lost !== undefined) throw new Error(lost);
  }

  truncate(length: number): Promise<void> {
    return this.files.whileCut(this.path, length, () => this.file.truncate(length));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
