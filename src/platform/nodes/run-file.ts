import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { startOf } from './process-table.js';

/** Identifies a process that runs, or once ran. The note may be stale: only `presenceOf` knows. */
export interface RunNote {
  readonly pid: number;
  /** The address of the process, `http://host:port`. */
  readonly url: string;
  /** The result of `startOf`. Absent where the system does not say, and in notes of earlier versions. */
  readonly start?: string;
  /** The settings at the start, by name; only a hash for a secret. Absent in notes of earlier versions. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RunFile {
  readonly path: string;
  /** Matches the process's command line. */
  readonly program: RegExp;
  /** The address of a process whose supervisor writes the note. Undefined: the process writes its own. */
  readonly url?: string;
}

const LOOK_EVERY_MS = 1_000;

/** Undefined when the note is missing or unreadable. */
export function readRunFile(path: string): RunNote | undefined {
  try {
    const note = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof RunNote, unknown>>;
    const { pid, url, start } = note;
    const isWhole = Number.isInteger(pid) && (pid as number) > 0 && typeof url === 'string' && URL.canParse(url);
    return isWhole && ['string', 'undefined'].includes(typeof start) ? (note as RunNote) : undefined;
  } catch {
    return undefined;
  }
}

/** Notes the address of this process, or of `pid`. Readers see the whole note or none. Not durable: a reboot voids it. */
export function writeRunFile(path: string, about: Pick<RunNote, 'url' | 'settings'>, pid: number = process.pid): void {
  const start = startOf(pid);
  const note: RunNote = { pid, ...about, ...(start === undefined ? {} : { start }) };
  writeFileSync(`${path}.tmp`, JSON.stringify(note));
  renameSync(`${path}.tmp`, path);
}

/**
 * Notes the address of this process, or of `pid`, and keeps the note as `watchRunFile` does: without it `npm stop` does not find the
 * process.
 */
export function keepRunFile(
  path: string,
  about: Pick<RunNote, 'url' | 'settings'>,
  pid: number = process.pid,
): () => void {
  writeRunFile(path, about, pid);
  return watchRunFile(path, about, pid);
}

/**
 * Notes the address again when the file is gone or unreadable. Ends, and removes the file unless it names another process, when the
 * returned function is called.
 */
export function watchRunFile(path: string, about: Pick<RunNote, 'url' | 'settings'>, pid: number): () => void {
  const look = setInterval(() => {
    if (readRunFile(path) !== undefined) return;
    try {
      writeRunFile(path, about, pid);
    } catch {
      // The disk is full, or the directory is gone. The next look may succeed.
    }
  }, LOOK_EVERY_MS);
  look.unref();
  return () => {
    clearInterval(look);
    try {
      const isOfAnother = (readRunFile(path)?.pid ?? pid) !== pid;
      if (!isOfAnother) removeRunFile(path);
    } catch {
      // The note stays, and `presenceOf` finds that its process is gone.
    }
  };
}

/** A missing file is no error. */
export function removeRunFile(path: string): void {
  rmSync(path, { force: true });
}
