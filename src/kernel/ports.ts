/** Wall-clock time, only for data that is shown or kept; it never decides the order of events. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump backwards. */
  nowMs(): number;
}

export interface Random {
  /** Cryptographically strong bytes, owned by the caller. */
  bytes(length: number): Uint8Array;
}

/** Runs `task` once after `delayMs` milliseconds or later, unless the caller calls the returned function first. */
export interface Timers {
  after(delayMs: number, task: () => void): () => void;
}

/** Runs `task` once, after the input that is already waiting has been handled. */
export type NextTurn = (task: () => void) => void;

/** Runs `task` once, at the end of the event loop's present callback: before any further input is received. */
export type Microtask = (task: () => void) => void;

/** Named points beside every durable boundary. Only in fault tests, `reach` kills the process there, as `kill -9` does. */
export interface CrashSites {
  reach(site: string): void;
}

export interface ProcessControl {
  /**
   * Ends the process at once because it can no longer keep a promise. It flushes and acknowledges nothing more; the next start
   * finds exactly the durable data. It returns only in tests.
   */
  stop(reason: string, cause: unknown): void;
}

/** Receives what a driver reports to the operator. */
export interface Log {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** One open file. Offsets and lengths are in bytes. One operation at a time. */
export interface DiskFile {
  /** Writes all of `bytes` at `offset`. After a failure the content from `offset` on is unknown. Not durable yet. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Makes everything written and the length durable. After a failure nothing is known about the content. */
  synchronize(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A file opened for reading. It stays the same file after a rename or removal. Offsets and lengths are in bytes. */
export interface DiskReader {
  /** The current length of the file. */
  size(): Promise<number>;
  /** The bytes from `offset` on, fewer than `length` only at the end of the file. The caller owns them. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * A directory tree on a disk that may lose unsynchronised data. Errors carry Node's `code` (`ENOSPC`, `EIO`). A created, renamed
 * or removed name is durable only after `synchronizeDirectory` of its directory.
 */
export interface Disk {
  /** Creates the directory and its parents, durably. */
  ensureDirectory(path: string): Promise<void>;
  /** The file names, sorted; empty when the directory does not exist. */
  list(directory: string): Promise<readonly string[]>;
  /** The names of the subdirectories, sorted; empty when the directory does not exist. */
  listDirectories(directory: string): Promise<readonly string[]>;
  /** The whole file; undefined when it does not exist. */
  read(path: string): Promise<Buffer | undefined>;
  /** Opens for writing. A missing file is created empty; an existing file is never truncated. */
  open(path: string): Promise<DiskFile>;
  /** Creates the file, empty, and opens it for writing. Rejects with `EEXIST` when the name is taken. */
  create(path: string): Promise<DiskFile>;
  /** Undefined when the file does not exist. */
  openForReading(path: string): Promise<DiskReader | undefined>;
  /** Atomic, also at a crash. A file replaces an existing one; a directory moves with its content, and only to a free name. */
  rename(from: string, to: string): Promise<void>;
  /** A missing file is no error. */
  remove(path: string): Promise<void>;
  synchronizeDirectory(directory: string): Promise<void>;
}

/** A value that is known, or will be: a call that answers without a promise where it can. */
export type MaybePromise<T> = T | Promise<T>;
