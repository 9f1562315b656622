import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getJson } from './http-json.js';
import { readRunFile } from './run-file.js';

/**
 * What is known of the process that a run file names.
 * - `answers`: it says itself, at the address it noted, that it has this pid. Only this one may be signalled unasked.
 * - `silent`: the process exists and runs our program, but does not answer: stopped, hung, starting or ending.
 * - `gone`: no such process, or the number belongs to another program now.
 */
export type Presence =
  | { readonly state: 'answers'; readonly pid: number; readonly url: string }
  | { readonly state: 'silent'; readonly pid: number }
  | { readonly state: 'gone' };

const ANSWER_WITHIN_MS = 2_000;
const GONE: Presence = { state: 'gone' };

/** `program` is matched with the command line of a process that does not answer. */
export async function presenceOf(runFile: string, program: RegExp): Promise<Presence> {
  const note = readRunFile(runFile);
  if (!note || !isAlive(note.pid)) return GONE;
  const { pid, url } = note;
  const answer = await getJson(new URL('/health/live', url).href, { timeoutMs: ANSWER_WITHIN_MS });
  if ((answer?.body as { pid?: unknown } | undefined)?.pid === pid) return { state: 'answers', pid, url };
  return isAlive(pid) && program.test(commandLineOf(pid)) ? { state: 'silent', pid } : GONE;
}

/** Whether a process of this number runs. One that ended and was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat?.slice(stat.lastIndexOf(')')).startsWith(') Z') ?? false;
}

/** Empty when it cannot be known. */
function commandLineOf(pid: number): string {
  const text = readProc(pid, 'cmdline');
  if (text !== undefined) return text.replaceAll('\0', ' ');
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

/** Undefined where the system has no /proc, and when the process is gone. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
