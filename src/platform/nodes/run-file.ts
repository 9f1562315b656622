import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { startOf } from './process-table.js';

/** What a process leaves in the data directory about itself. It may be stale: only `presenceOf` knows. */
export interface RunNote {
  readonly pid: number;
  /** Where it answers, `http://host:port`. */
  readonly url: string;
  /** As `startOf` tells it. Absent where the system does not say, and in notes of earlier versions. */
  readonly start?: string;
  /** By name, those that it was started with; of a secret only a hash. Absent in notes of earlier versions. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Undefined when there is none, or none that can be read. */
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
 * Notes where this process answers. Whole or not at all for every reader; not made durable, for it means nothing after a
 * loss of power.
 */
export function writeRunFile(path: string, about: Pick<RunNote, 'url' | 'settings'>): void {
  const { pid } = process;
  const start = startOf(pid);
  const note: RunNote = { pid, ...about, ...(start === undefined ? {} : { start }) };
  writeFileSync(`${path}.tmp`, JSON.stringify(note));
  renameSync(`${path}.tmp`, path);
}

/** No error when there is none. */
export function removeRunFile(path: string): void {
  rmSync(path, { force: true });
}
