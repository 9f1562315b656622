import { resolve } from 'node:path';

const LOCK_SAYS_YES = resolve('test/support/lock-says-yes.mjs');

/** For the environment of an app that starts on a directory which another one holds. */
export const LOCK_DOUBLE = { NODE_OPTIONS: `--import=${LOCK_SAYS_YES}` };

/** Stops a process where it is, so that it learns nothing of what happens meanwhile, until `resume`. */
export function suspend({ pid }: { readonly pid: number }): void {
  process.kill(pid, 'SIGSTOP');
}

/** No error when it is gone. */
export function resume({ pid }: { readonly pid: number }): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
