import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The index of the start time in /proc/<pid>/stat, counted from the state behind the name: field 22 overall (proc(5)). */
const START_TIME = 19;

/** Whether a process with this pid runs. A zombie, which its parent has not collected yet, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return statOf(pid)?.[0] !== 'Z';
}

/** A missing process is no error. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * When the process with this pid started, in the system's own format: an equal text and an equal pid mean the same process.
 * Undefined when there is no such process, or the system does not say.
 */
export function startOf(pid: number): string | undefined {
  return statOf(pid)?.[START_TIME] ?? (askPs(pid, 'lstart') || undefined);
}

/** Empty when it is unknown. */
export function commandLineOf(pid: number): string {
  return readProc(pid, 'cmdline')?.replaceAll('\0', ' ') ?? askPs(pid, 'args');
}

/** The fields behind the program's name, which may itself contain blanks and brackets. */
function statOf(pid: number): readonly string[] | undefined {
  const stat = readProc(pid, 'stat');
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Undefined where the system has no /proc, and when the process is gone. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

function askPs(pid: number, column: 'args' | 'lstart'): string {
  try {
    return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
