import { join } from 'node:path';
import { AppError, storageFull } from '../../kernel/index.js';
import { type BegunSegment, beginSegment } from './begin-segment.js';
import { isDiskFull } from './disk-full.js';
import { RESERVE_FILE } from './journal-reserve.js';
import { type LastSegment, type RecoveredJournal, type RecoveryPorts, removeCovered } from './recovery.js';
import { livingAmong, nextIncarnation, segmentsAmong } from './segment-names.js';

export interface TakenOver extends BegunSegment {
  readonly incarnation: number;
  /** The segments that hold the history, oldest first, with the new one. */
  readonly segments: readonly string[];
  /** Same as `RecoveredJournal.uncoveredBytes`. */
  readonly earlierBytes: number;
}

/**
 * Begins the segment of this incarnation after a recovered history. From the moment when its name can be seen, an earlier
 * incarnation acknowledges nothing; what that one wrote and acknowledged before is found by another look at its segment. Throws
 * `superseded`, leaving nothing behind, when such a record or another process shows up, and `storage-full` when there is no room
 * for the segment even without the reserve.
 */
export async function takeOver(
  ports: RecoveryPorts,
  directory: string,
  found: RecoveredJournal,
  /** The last record that is needed neither for the state nor otherwise. */
  removableSeq: number,
  isWitnessed: boolean,
): Promise<TakenOver> {
  const incarnation = nextIncarnation(found.seen);
  const start = { after: found.position, at: found.lastAt, incarnation, isWitnessed };
  const begun = await beginSegment(ports, directory, start).catch(async (error: unknown) => {
    if (!isDiskFull(error)) throw error;
    // A start needs only a few bytes, and the reserve is filled again when there is room.
    await ports.disk.remove(join(directory, RESERVE_FILE));
    return beginSegment(ports, directory, start).catch((again: unknown) => {
      throw isDiskFull(again) ? storageFull(again) : again;
    });
  });
  if (!(await isUnchanged(ports, directory, found, begun.name))) {
    await begun.file.close();
    await ports.disk.remove(join(directory, begun.name));
    await ports.disk.synchronizeDirectory(directory);
    throw new AppError('superseded', `${directory}: another process wrote to the journal during the start`, {
      retry: 'unknown',
    });
  }
  await cutTornEnd(ports, found.last);
  const segments = livingAmong([...found.segments, begun.name]);
  const empty = found.segments.filter((name) => !segments.includes(name));
  await removeAll(ports, directory, [...found.obsolete, ...empty]);
  return {
    ...{ ...begun, incarnation, earlierBytes: found.uncoveredBytes },
    // When a snapshot is ahead of the segments, the records in between are not in the journal.
    segments: await removeCovered(ports, directory, segments, found.isBehind ? found.position.seq : removableSeq),
  };
}

/** Whether no other process has begun a segment, or written to the last one, since recovery read the directory. */
async function isUnchanged(
  { disk }: RecoveryPorts,
  directory: string,
  { seen, last }: RecoveredJournal,
  own: string,
): Promise<boolean> {
  const names = segmentsAmong(await disk.list(directory));
  if (names.some((name) => name !== own && !seen.includes(name))) return false;
  const reader = last && (await disk.openForReading(last.path));
  if (reader === undefined) return last === undefined;
  try {
    return (await reader.size()) === last?.bytes;
  } finally {
    await reader.close();
  }
}

/** Only for those who read the file: nothing after the good bytes belongs to the history. */
async function cutTornEnd({ disk, log, crashSites }: RecoveryPorts, last: LastSegment | undefined): Promise<void> {
  if (last === undefined || last.goodBytes === last.bytes) return;
  const { path, goodBytes, bytes } = last;
  const torn = { file: path, offset: goodBytes, bytes: bytes - goodBytes };
  log.warn('removed the torn end of the journal: it was never acknowledged', torn);
  crashSites.reach('journal.recovery-cut.before');
  const file = await disk.open(path);
  try {
    await file.truncate(goodBytes);
  } finally {
    await file.close();
  }
  crashSites.reach('journal.recovery-cut.after');
}

async function removeAll({ disk }: RecoveryPorts, directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await disk.remove(join(directory, name));
  if (names.length > 0) await disk.synchronizeDirectory(directory);
}
