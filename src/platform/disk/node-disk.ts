import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Disk, DiskFile } from '../../kernel/index.js';

class NodeDiskFile implements DiskFile {
  constructor(private readonly handle: FileHandle) {}

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    let written = 0;
    while (written < bytes.byteLength) {
      const result = await this.handle.write(bytes, written, bytes.byteLength - written, offset + written);
      written += result.bytesWritten;
    }
  }

  synchronize(): Promise<void> {
    return this.handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.handle.truncate(length);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** The operating system's file system. `synchronize` is fdatasync, which also makes a changed length durable. */
export class NodeDisk implements Disk {
  async ensureDirectory(path: string): Promise<void> {
    const firstMade = await mkdir(path, { recursive: true });
    if (firstMade === undefined) return;
    for (let made = path; ; made = dirname(made)) {
      await this.synchronizeDirectory(dirname(made));
      if (made === firstMade || made === dirname(made)) return;
    }
  }

  async list(directory: string): Promise<readonly string[]> {
    const entries = await orUndefinedWhenMissing(readdir(directory, { withFileTypes: true }));
    return (entries ?? [])
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  /** In one piece: `readFile` goes through the event loop for each half a megabyte and then joins the parts. */
  async read(path: string): Promise<Buffer | undefined> {
    const handle = await orUndefinedWhenMissing(open(path, 'r'));
    if (handle === undefined) return undefined;
    try {
      // At least one byte, so that something that cannot be read is found out.
      const bytes = Buffer.allocUnsafeSlow(Math.max(1, (await handle.stat()).size));
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return bytes.subarray(0, length);
    } finally {
      await handle.close();
    }
  }

  async open(path: string): Promise<DiskFile> {
    const existing = await orUndefinedWhenMissing(open(path, 'r+'));
    return new NodeDiskFile(existing ?? (await open(path, 'wx+', 0o600)));
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(path: string): Promise<void> {
    return rm(path, { force: true });
  }

  async synchronizeDirectory(directory: string): Promise<void> {
    const handle = await open(join(directory, '.'), 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

async function orUndefinedWhenMissing<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
