import { join } from 'node:path';
import { AppError, type DiskFile, type ChainPosition } from '../../kernel/index.js';
import type { RecoveryPorts } from './recovery.js';
import { encodeHeader, segmentFileName } from './segment.js';

/**
 * Makes a segment, durable when it resolves, that follows `after`; gives its name, its file and its length in bytes.
 * Without room for it there is no trace of it when this throws: a name that came back after a crash would stand where
 * the old segment has gone on. Any failed fsync is final, also one for want of room.
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
 * An empty journal for a snapshot that came from elsewhere: the first record will follow `after`, whose record was made
 * at `at`. Durable when it resolves. The directory has no journal yet, and what its end is nobody else knows.
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
