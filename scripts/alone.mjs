/** One process at a time. Plain Node. */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const LOOK_EVERY_MS = 100;

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
 * The file holds the pid of the one at work: one that was killed holds nobody up.
 */
export function alone(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  let isSaid = false;
  while (!isTaken(file)) {
    const holder = holderOf(file);
    if (holder === undefined) continue;
    if (!isAlive(holder)) {
      removeAbandoned(file, holder);
      continue;
    }
    if (!isSaid) console.log(`Waiting for another command (pid ${holder}), which installs or builds ...`);
    isSaid = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
  try {
    return work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Whole from its first moment: it is linked into place. */
function isTaken(file) {
  const own = `${file}-${process.pid}`;
  writeFileSync(own, `${process.pid}`);
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
    return Number(readFileSync(file, 'utf8'));
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
