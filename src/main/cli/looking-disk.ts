import type { Disk, DiskFile } from '../../kernel/index.js';

const NOTHING_WRITTEN: DiskFile = {
  write: () => Promise.resolve(),
  synchronize: () => Promise.resolve(),
  truncate: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** A read-only disk, to see what a start would make of a directory. */
export function lookingAt(disk: Disk): Disk {
  return {
    list: (directory) => disk.list(directory),
    listDirectories: (directory) => disk.listDirectories(directory),
    read: (path) => disk.read(path),
    openForReading: (path) => disk.openForReading(path),
    open: () => Promise.resolve(NOTHING_WRITTEN),
    create: () => Promise.resolve(NOTHING_WRITTEN),
    ensureDirectory: () => Promise.resolve(),
    rename: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    synchronizeDirectory: () => Promise.resolve(),
  };
}
