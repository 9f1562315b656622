import { getJson } from './http-json.js';
import { commandLineOf, isAlive, startOf } from './process-table.js';
import { readRunFile, type RunNote } from './run-file.js';

/**
 * What is known of the process that a run file names.
 * - `answers`: it says itself, at the address it noted, that it has this pid. Only this one may be signalled unasked.
 * - `silent`: the process exists and runs our program, but does not answer: stopped, hung, starting or ending.
 * - `gone`: no such process, or the number belongs to another program now.
 */
export type Presence =
  | ({ readonly state: 'answers' } & RunNote)
  | { readonly state: 'silent'; readonly pid: number }
  | { readonly state: 'gone' };

const ANSWER_WITHIN_MS = 2_000;
const GONE: Presence = { state: 'gone' };

/** `program` is matched with the command line of a process that does not answer. */
export async function presenceOf(runFile: string, program: RegExp): Promise<Presence> {
  const note = readRunFile(runFile);
  if (!note || !isSameProcess(note)) return GONE;
  const { pid, url } = note;
  const answer = await getJson(new URL('/health/live', url).href, { timeoutMs: ANSWER_WITHIN_MS });
  if ((answer?.body as { pid?: unknown } | undefined)?.pid === pid) return { state: 'answers', ...note };
  return isSameProcess(note) && program.test(commandLineOf(pid)) ? { state: 'silent', pid } : GONE;
}

/** Whether the process that left this note still runs: its number may belong to another one by now. */
export function isSameProcess({ pid, start }: Pick<RunNote, 'pid' | 'start'>): boolean {
  return isAlive(pid) && (start === undefined || start === startOf(pid));
}
