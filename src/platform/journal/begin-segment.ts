import { join } from 'node:path';
import { AppError, type DiskFile, type ChainPosition } from '../../kernel/index.js';
import type { RecoveryPorts } from './recovery.js';
import { encodeHeader, segmentFileName } from './segment.js';

/**
 * Makes a segment that follows `after`, durable when it resolves, and returns its name, file and length in bytes. If it throws
 * for lack of room, no trace remains: a name that returned after a crash would compete with the old segment, which has gone on.
 * Any failed fsync is final, even for lack of room.
 */
export async function beginSegment(
  ports: RecoveryPorts,
  directory: string,
  after: ChainPosition,
  at: number,
  isWitnessed: boolean,
): Promise<[string, DiskFile, number]> {
  const { disk, crashSites } = ports;
  const name = segmentFileName(after.seq + 1);
  const path = join(directory, name);
  const header = Buffer.from(encodeHeader(after, at, isWitnessed));
  crashSites.reach('journal.begin-segment.before');
  const file = await disk.open(path);
  try {
    await file.truncate(0);
    await file.write(header, 0);
    crashSites.reach('journal.begin-segment.written');
  } catch (error) {
    await file.close();
    await disk.remove(path);
    await disk.synchronizeDirectory(directory);
    throw error;
  }
  try {
    await file.synchronize();
    await disk.synchronizeDirectory(directory);
    crashSites.reach('journal.begin-segment.after');
  } catch (cause) {
    throw new AppError('outcome-unknown', `${path}: its creation could not be synchronised`, {
      retry: 'unknown',
      cause,
    });
  }
  return [name, file, header.length];
}

/**
 * Makes an empty journal, durable when it resolves, for a snapshot from elsewhere: the first record will follow `after`, whose
 * record has time `at`. The directory must hold no journal, and nothing else may know its end.
 */
export async function beginJournal(
  ports: RecoveryPorts,
  directory: string,
  after: ChainPosition,
  at: number,
): Promise<void> {
  const [, file] = await beginSegment(ports, directory, after, at, false);
  await file.close();
}
