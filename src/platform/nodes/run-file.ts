import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** What a process leaves in the data directory about itself. It may be stale: only `presenceOf` knows. */
export interface RunNote {
  readonly pid: number;
  /** Where it answers, `http://host:port`. */
  readonly url: string;
}

/** Undefined when there is none, or none that can be read. */
export function readRunFile(path: string): RunNote | undefined {
  try {
    const { pid, url } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<'pid' | 'url', unknown>>;
    const isWhole = Number.isInteger(pid) && (pid as number) > 0 && typeof url === 'string' && URL.canParse(url);
    return isWhole ? { pid: pid as number, url } : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all for every reader; not made durable, for it means nothing after a loss of power. */
export function writeRunFile(path: string, note: RunNote): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(note));
  renameSync(`${path}.tmp`, path);
}

/** No error when there is none. */
export function removeRunFile(path: string): void {
  rmSync(path, { force: true });
}
