/** Wall-clock time. Only for what is shown or kept as data; never to decide an order of events. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump backwards. */
  nowMs(): number;
}

export interface Random {
  /** Cryptographically strong bytes, owned by the caller. */
  bytes(length: number): Uint8Array;
}

/** Runs `task` once after `delayMs` milliseconds or later, unless the returned function is called before. */
export interface Timers {
  after(delayMs: number, task: () => void): () => void;
}

/** Runs `task` once, after the input that is already waiting has been handled. */
export type NextTurn = (task: () => void) => void;

/**
 * Named places beside every durable boundary. Outside of fault tests `reach` does nothing; in one, the process dies
 * there as under `kill -9`.
 */
export interface CrashSites {
  reach(site: string): void;
}

export interface ProcessControl {
  /**
   * Ends the process at once because a promise can no longer be kept. Nothing is flushed and nothing acknowledged
   * after it: what was not durable is lost, what was is found again at the next start. It returns only in tests.
   */
  stop(reason: string, cause: unknown): void;
}

/** Where a driver says what an operator should know. */
export interface Log {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** One open file. Offsets and lengths are in bytes. One operation at a time. */
export interface DiskFile {
  /** Writes all of `bytes` at `offset`, or fails with the file's content from `offset` on unknown. Not durable yet. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Durable when it resolves: everything written and the length. A failure means that nothing can be known. */
  synchronize(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * One file opened for reading. It goes on giving this file's bytes when its name has gone to another file, or is gone.
 * Offsets and lengths are in bytes.
 */
export interface DiskReader {
  /** The file's length as it is now. */
  size(): Promise<number>;
  /** The bytes from `offset` on, fewer than `length` only where the file ends. Owned by the caller. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/**
 * A directory tree on a disk that may lose what was not synchronised. Errors carry Node's `code` (`ENOSPC`, `EIO`).
 * A created, renamed or removed name is durable only after `synchronizeDirectory` of its directory.
 */
export interface Disk {
  /** Creates the directory and its parents, durably. */
  ensureDirectory(path: string): Promise<void>;
  /** File names, sorted; empty when there is no such directory. */
  list(directory: string): Promise<readonly string[]>;
  /** Names of the directories in it, sorted; empty when there is no such directory. */
  listDirectories(directory: string): Promise<readonly string[]>;
  /** The whole file; undefined when there is none. */
  read(path: string): Promise<Buffer | undefined>;
  /** Opens for writing; created empty when missing, never truncated. */
  open(path: string): Promise<DiskFile>;
  /** Undefined when there is no such file. */
  openForReading(path: string): Promise<DiskReader | undefined>;
  /**
   * One step, also at a crash. A file takes the place of one that has the name; a directory goes with all that is in it,
   * to a name that is free.
   */
  rename(from: string, to: string): Promise<void>;
  /** No error when there is no such file. */
  remove(path: string): Promise<void>;
  synchronizeDirectory(directory: string): Promise<void>;
}
