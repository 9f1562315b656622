import { join } from 'node:path';
import { AppError, type DiskFile, type ChainPosition } from '../../kernel/index.js';
import { isDiskFull } from './disk-full.js';
import type { RecoveryPorts } from './recovery.js';
import { encodeBatchHeader, encodeHeader, segmentFileName } from './segment.js';

/** What a new segment continues. */
export interface SegmentStart {
  readonly after: ChainPosition;
  /** The time of the record at `after`, 0 when there is none. */
  readonly at: number;
  readonly incarnation: number;
  readonly isWitnessed: boolean;
}

/** A segment that has just been made. */
export interface BegunSegment {
  readonly name: string;
  readonly file: DiskFile;
  /** Of the header. */
  readonly bytes: number;
}

/**
 * Makes a segment, durable when it resolves. If it throws for lack of room, no trace remains: a name that returned after a crash
 * would compete with the old segment, which has gone on. Any failed fsync is final, even for lack of room. Throws `superseded`
 * when another process has taken the name.
 */
export async function beginSegment(
  ports: RecoveryPorts,
  directory: string,
  { after, at, incarnation, isWitnessed }: SegmentStart,
): Promise<BegunSegment> {
  const { disk, crashSites } = ports;
  const name = segmentFileName(after.seq + 1, incarnation);
  const path = join(directory, name);
  const header = Buffer.from(encodeHeader(after, at, isWitnessed));
  crashSites.reach('journal.begin-segment.before');
  const file = await disk.create(path).catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? taken(path, error) : error;
  });
  try {
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
  return { name, file, bytes: header.length };
}

function taken(path: string, cause: unknown): AppError {
  const what = `${path} is there already: another process writes this journal`;
  return new AppError('superseded', what, { retry: 'unknown', cause });
}

/** Lets the next start distinguish damage to the last batch from a torn write. A full disk only makes that less certain. */
export async function vouchFor(file: DiskFile, durableBytes: number): Promise<void> {
  try {
    await file.write(Buffer.from(encodeBatchHeader(durableBytes)), durableBytes);
    await file.synchronize();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
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
  const { file } = await beginSegment(ports, directory, { after, at, incarnation: 0, isWitnessed: false });
  await file.close();
}
