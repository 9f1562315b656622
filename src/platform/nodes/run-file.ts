import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { startOf } from './process-table.js';

/** Identifies a process that runs, or once ran. It may be stale: only `presenceOf` knows. */
export interface RunNote {
  readonly pid: number;
  /** Where it answers, `http://host:port`. */
  readonly url: string;
  /** As `startOf` tells it. Absent where the system does not say, and in notes of earlier versions. */
  readonly start?: string;
  /** By name, those that it was started with; of a secret only a hash. Absent in notes of earlier versions. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Where a process is noted. */
export interface RunFile {
  readonly path: string;
  /** Matches its command line. */
  readonly program: RegExp;
  /** The address of a process that notes nothing about itself: its supervisor notes it. Undefined: the process does. */
  readonly url?: string;
}

/** Undefined when there is no note, or an unreadable one. */
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

/**
 * Notes where this process, or the one of another `pid`, answers. Every reader sees the whole note or none; it is not made
 * durable, because it means nothing after a loss of power.
 */
export function writeRunFile(path: string, about: Pick<RunNote, 'url' | 'settings'>, pid: number = process.pid): void {
  const start = startOf(pid);
  const note: RunNote = { pid, ...about, ...(start === undefined ? {} : { start }) };
  writeFileSync(`${path}.tmp`, JSON.stringify(note));
  renameSync(`${path}.tmp`, path);
}

/** A missing file is no error. */
export function removeRunFile(path: string): void {
  rmSync(path, { force: true });
}
