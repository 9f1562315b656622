import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';

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

/**
 * What the main thread of this process does: `runs`, or would with a processor; `waits-for-disk` in the kernel, where it cannot run and no
 * signal ends it before the disk answers; or neither. Undefined where the system does not say.
 */
export function runStateOf(pid: number): 'runs' | 'waits-for-disk' | 'neither' | undefined {
  const state = statOf(pid)?.[0];
  return state === undefined ? undefined : state === 'R' ? 'runs' : state === 'D' ? 'waits-for-disk' : 'neither';
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
  return statOf(pid)?.[START_TIME] ?? (askPs(['-o', 'lstart=', '-p', String(pid)]) || undefined);
}

/** Empty when it is unknown. */
export function commandLineOf(pid: number): string {
  return readProc(pid, 'cmdline')?.replaceAll('\0', ' ') ?? askPs(['-o', 'args=', '-p', String(pid)]);
}

export interface RunningProgram {
  readonly pid: number;
  readonly commandLine: string;
}

/** The other processes of this user whose command lines hold these arguments, one behind the other. */
export function processesWith(args: readonly string[]): readonly RunningProgram[] {
  const pids = entriesOf('/proc').filter((name) => /^\d+$/.test(name));
  const user = process.getuid?.();
  const isOwn = (pid: string): boolean => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === user;
  const found =
    pids.length > 0
      ? pids
          .filter(isOwn)
          .map((pid) => ({ pid: Number(pid), commandLine: readProc(Number(pid), 'cmdline') ?? '' }))
          .filter(({ commandLine }) => commandLine.includes(`\0${args.join('\0')}\0`))
      : askPs(['-ww', '-U', String(user), '-o', 'pid=', '-o', 'args='])
          .split('\n')
          .map((line) => ({ pid: parseInt(line, 10), commandLine: line.replace(/^ *\d+ /, '') }))
          .filter(({ commandLine }) => `${commandLine} `.includes(` ${args.join(' ')} `));
  return found
    .filter(({ pid }) => pid !== process.pid)
    .map(({ pid, commandLine }) => ({ pid, commandLine: commandLine.replaceAll('\0', ' ') }));
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
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

function askPs(args: readonly string[]): string {
  try {
    return execFileSync('ps', args, {
      encoding: 'utf8',
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
