/** One process at a time. Plain Node. */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const LOOK_EVERY_MS = 100;
/** Of /proc/<pid>/stat, counted from the state, which stands behind the name: field 22 of all (proc(5)). */
const START_TIME = 19;
/** The file of the command that started this one, and is at work for both. */
const HELD = 'BIFOLIO_AT_WORK';

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Does `work` while no other process does any under the same `file`; who has to wait says so once, naming the other one.
 * The file holds the pid and the start time of the one at work: one that was killed holds nobody up, nor does another that
 * has its number now. What `work` starts in `environmentOf(file)` is a part of it, and does not wait.
 */
export function alone(file, work) {
  if (process.env[HELD] === file) return work();
  mkdirSync(dirname(file), { recursive: true });
  let isSaid = false;
  while (!isTaken(file)) {
    const holder = holderOf(file);
    if (holder === undefined) continue;
    const [pid, start] = holder.split(' ');
    if (!isAlive(Number(pid)) || startOf(pid) !== start) {
      removeAbandoned(file, holder);
      continue;
    }
    if (!isSaid) console.log(`Waiting for another command (pid ${pid}) that installs or builds ...`);
    isSaid = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
  try {
    return work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** For what is started as a part of the work under `file`. */
export function environmentOf(file) {
  return { ...process.env, [HELD]: file };
}

/** Undefined where the system does not say: there the number has to do. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME];
  } catch {
    return undefined;
  }
}

/** Whole from its first moment: it is linked into place. */
function isTaken(file) {
  const own = `${file}-${process.pid}`;
  writeFileSync(own, [process.pid, startOf(process.pid)].filter(Boolean).join(' '));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function holderOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Another one that waited may have removed it and be at work by now: then it gets its file back. */
function removeAbandoned(file, holder) {
  const aside = `${file}-from-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (holderOf(aside) !== holder && !existsSync(file)) linkSync(aside, file);
  rmSync(aside, { force: true });
}
