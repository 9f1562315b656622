import { getJson } from './http-json.js';
import { commandLineOf, isAlive, startOf } from './process-table.js';
import { readRunFile, type RunFile, type RunNote } from './run-file.js';

/**
 * What is known about the process in a run file.
 * - `answers`: the process confirms this pid at its noted address; for a note by its supervisor, pid, start time and command line
 *   match. Without --force, only such a process may be signalled.
 * - `silent`: the process exists and runs our program, but does not answer: stopped, hung, starting or ending.
 * - `gone`: no such process, or another program has the pid.
 */
export type Presence =
  | ({ readonly state: 'answers' } & RunNote)
  | { readonly state: 'silent'; readonly pid: number }
  | { readonly state: 'gone' };

const ANSWER_WITHIN_MS = 2_000;
const GONE: Presence = { state: 'gone' };

export async function presenceOf({ path, program, url: notedUrl }: RunFile): Promise<Presence> {
  const note = readRunFile(path);
  if (!note || !isSameProcess(note)) return GONE;
  const { pid, url } = note;
  if (notedUrl !== undefined) return program.test(commandLineOf(pid)) ? { state: 'answers', ...note } : GONE;
  const answer = await getJson(new URL('/health/live', url).href, { timeoutMs: ANSWER_WITHIN_MS });
  if ((answer?.body as { pid?: unknown } | undefined)?.pid === pid) return { state: 'answers', ...note };
  return isSameProcess(note) && program.test(commandLineOf(pid)) ? { state: 'silent', pid } : GONE;
}

/** Whether the process of this note still runs; another process may have its pid. */
export function isSameProcess({ pid, start }: Pick<RunNote, 'pid' | 'start'>): boolean {
  return isAlive(pid) && (start === undefined || start === startOf(pid));
}
