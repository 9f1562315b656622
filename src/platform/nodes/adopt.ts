import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { complaintIn, readFrom } from './complaint.js';
import { type ChildExit, type ChildProgram, type LaunchedChild, whenReady } from './launch.js';
import { isSameProcess } from './presence.js';
import { isAlive, signalProcess } from './process-table.js';
import type { RunNote } from './run-file.js';

const LOOK_EVERY_MS = 50;

/**
 * A child that an earlier supervisor started, watched from now on like one of our own. It is no child of this process, so
 * its end is seen by looking, and its exit code is never known. It is signalled only while number and start time are
 * those of its note.
 */
export function adoptChild(
  child: Pick<ChildProgram, 'places' | 'apiKey' | 'onNotReady'>,
  note: RunNote,
): LaunchedChild {
  const { log } = child.places;
  const logLength = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  let isGone = false;
  const exited = whenGone(note.pid).then((): ChildExit => {
    isGone = true;
    return { pid: note.pid, code: null, signal: null, complaint: complaintIn(readFrom(log, logLength)) };
  });
  return {
    exited,
    ready: whenReady(child, note.pid, () => isGone),
    signal: (signal) => {
      if (isSameProcess(note)) signalProcess(note.pid, signal);
    },
  };
}

/** Between two looks no number comes round again, so the start time, which some systems tell slowly, is not asked for. */
async function whenGone(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(LOOK_EVERY_MS);
}
