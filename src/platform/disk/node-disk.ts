import { type Dirent, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Disk, DiskFile, DiskReader } from '../../kernel/index.js';

const AT_ONCE_BYTES = 64 * 1024;
const OWNER_ONLY = 0o700;
const OWNER_ONLY_FILE = 0o600;

class NodeDiskFile implements DiskFile {
  constructor(private readonly handle: FileHandle) {}

  /** Small writes are synchronous because another thread would take longer. Only `synchronize` waits for the disk. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      const left = bytes.length - written;
      written +=
        left <= AT_ONCE_BYTES
          ? writeSync(this.handle.fd, bytes, written, left, offset + written)
          : (await this.handle.write(bytes, written, left, offset + written)).bytesWritten;
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

class NodeDiskReader implements DiskReader {
  constructor(private readonly handle: FileHandle) {}

  async size(): Promise<number> {
    return (await this.handle.stat()).size;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** The operating system's file system. `synchronize` is fdatasync, which also makes a changed length durable. */
export class NodeDisk implements Disk {
  /** Only the owner may access it. Works one level at a time: Node's recursive `mkdir` hung on some file systems (20.20). */
  async ensureDirectory(path: string): Promise<void> {
    if (await isDirectory(path)) return;
    const parent = dirname(path);
    if (parent !== path) await this.ensureDirectory(parent);
    try {
      await mkdir(path, { mode: OWNER_ONLY });
    } catch (error) {
      // Another process may have created it meanwhile.
      if (!(await isDirectory(path))) throw error;
    }
    await this.synchronizeDirectory(parent);
  }

  list(directory: string): Promise<readonly string[]> {
    return namesIn(directory, (entry) => entry.isFile());
  }

  listDirectories(directory: string): Promise<readonly string[]> {
    return namesIn(directory, (entry) => entry.isDirectory());
  }

  /** Reads in one piece: `readFile` returns to the event loop every half megabyte and then joins the parts. */
  async read(path: string): Promise<Buffer | undefined> {
    const reader = await this.openForReading(path);
    if (reader === undefined) return undefined;
    try {
      return await reader.read(0, Math.max(1, await reader.size()));
    } catch (error) {
      throw naming(path, error as NodeJS.ErrnoException);
    } finally {
      await reader.close();
    }
  }

  async open(path: string): Promise<DiskFile> {
    assertNotOfSqlite(path);
    const existing = await orUndefinedWhenMissing(open(path, 'r+'));
    return new NodeDiskFile(existing ?? (await created(path)));
  }

  async create(path: string): Promise<DiskFile> {
    assertNotOfSqlite(path);
    return new NodeDiskFile(await created(path));
  }

  async openForReading(path: string): Promise<DiskReader | undefined> {
    assertNotOfSqlite(path);
    const handle = await orUndefinedWhenMissing(open(path, 'r'));
    return handle && new NodeDiskReader(handle);
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

function created(path: string): Promise<FileHandle> {
  return open(path, 'wx+', OWNER_ONLY_FILE);
}

/** Errors of an open file do not name the file. */
function naming(path: string, error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return Object.assign(error, { path, message: `${error.message} '${path}'` });
}

async function isDirectory(path: string): Promise<boolean> {
  return (await orUndefinedWhenMissing(stat(path)))?.isDirectory() ?? false;
}

/** Closing the file would drop every lock that this process has on it and let a second process in. */
function assertNotOfSqlite(path: string): void {
  if (/\.db(?:-wal|-shm|-journal)?$/.test(path)) throw new Error(`only SQLite may open ${path}`);
}

/** Returns the paths of the directories in `path`, sorted by name; empty when `path` does not exist. */
export async function directoriesIn(path: string): Promise<readonly string[]> {
  return (await namesIn(path, (entry) => entry.isDirectory())).map((name) => join(path, name));
}

async function namesIn(directory: string, isWanted: (entry: Dirent) => boolean): Promise<readonly string[]> {
  const entries = await orUndefinedWhenMissing(readdir(directory, { withFileTypes: true }));
  return (entries ?? [])
    .filter(isWanted)
    .map((entry) => entry.name)
    .sort();
}

async function orUndefinedWhenMissing<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
