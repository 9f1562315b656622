import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readFrom } from './complaint.js';
import { type ChildExit, type ChildProgram, type LaunchedChild, type OnWaiting, whenReady } from './launch.js';
import { isSameProcess } from './presence.js';
import { isAlive, signalProcess } from './process-table.js';
import { type RunNote, watchRunFile } from './run-file.js';

const LOOK_EVERY_MS = 50;

/**
 * Watches a process that an earlier supervisor started. It is not a child of this process, so only polling detects its end, and
 * its exit code stays unknown. It gets signals only while pid and start time match its run file.
 */
export function adoptChild(child: ChildProgram, note: RunNote, onWaiting: OnWaiting): LaunchedChild {
  const { log, runFile } = child;
  const logLength = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  let isGone = false;
  const endRunFile = runFile.url === undefined ? undefined : watchRunFile(runFile.path, { url: note.url }, note.pid);
  const exited = whenGone(note.pid).then((): ChildExit => {
    isGone = true;
    endRunFile?.();
    return { pid: note.pid, code: null, signal: null, complaint: child.complaintIn(readFrom(log, logLength)) };
  });
  return {
    pid: note.pid,
    isRunning: () => !isGone && isSameProcess(note),
    exited,
    ready: whenReady(child, note.pid, onWaiting, () => isGone),
    signal: (signal) => {
      if (isSameProcess(note)) signalProcess(note.pid, signal);
    },
  };
}

/** No pid is reused within LOOK_EVERY_MS, so this skips the start time, which some systems report slowly. */
async function whenGone(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(LOOK_EVERY_MS);
}
