import { type Stats, statSync } from 'node:fs';
import { isSameProcess } from './presence.js';
import { readRunFile, type RunNote } from './run-file.js';

/** No system gives a pid to another process so soon. */
const CERTAIN_FOR_MS = 1_000;

/**
 * The process that a run file names, for callers that ask often. An answer costs two system calls while the file is the same:
 * pid and start time are compared once a second, and in between only the pid must exist.
 */
export class NotedProcess {
  private note: RunNote | undefined;
  private seen: Stats | undefined;
  private comparedAt = -Infinity;

  constructor(
    private readonly path: string,
    /** A monotonic clock. */
    private readonly nowMs: () => number,
  ) {}

  /** The address of the process; undefined while no process runs that the file names. */
  url(): string | undefined {
    const now = this.nowMs();
    const stats = statSync(this.path, { throwIfNoEntry: false });
    const isSame = stats !== undefined && stats.ino === this.seen?.ino && stats.mtimeMs === this.seen.mtimeMs;
    if (isSame && this.note && now - this.comparedAt < CERTAIN_FOR_MS && exists(this.note.pid)) return this.note.url;
    const note = readRunFile(this.path);
    this.note = note && isSameProcess(note) ? note : undefined;
    this.seen = stats;
    this.comparedAt = now;
    return this.note?.url;
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
