import { join } from 'node:path';
import { AppError, type CrashSites, type Disk, type Log } from '../../kernel/index.js';
import { GENESIS_HASH, type JournalRecord, type Position } from './record.js';
import { firstSeqOf, scanSegment, segmentFileName, type SegmentScan } from './segment.js';

export const GENESIS: Position = { epoch: 0, seq: 0, hash: GENESIS_HASH };

export interface RecoveryPorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
  readonly log: Log;
}

export interface RecoveredJournal {
  readonly position: Position;
  /** Time of the last record, 0 when there is none. */
  readonly lastAt: number;
  /** File names, oldest first; the last is to be continued at `length`. Empty: a new segment must be begun. */
  readonly segments: readonly string[];
  readonly length: number;
}

/**
 * Brings the segments in `directory` to a state that can be continued and replays every record behind `covered` (the
 * position of the newest snapshot) in order. Durable when it resolves: every record that was replayed, also those that
 * a killed predecessor had written but not synchronised. Throws `data-corrupt` when durable bytes are bad or missing.
 */
export async function recoverJournal<Op>(
  ports: RecoveryPorts,
  directory: string,
  covered: Position,
  replay: (record: JournalRecord<Op>) => void,
): Promise<RecoveredJournal> {
  const { disk, log } = ports;
  let names = (await disk.list(directory)).filter((name) => firstSeqOf(name) !== undefined);
  if (names.length === 0 && covered.seq > 0) {
    throw missing(directory, `the segments behind record ${String(covered.seq)} of the snapshot`);
  }
  names = await removeCovered(ports, directory, names, covered.seq);

  let position = covered;
  let lastAt = 0;
  let length = 0;
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const isLast = index === names.length - 1;
    const bytes = (await disk.read(path)) ?? Buffer.alloc(0);
    const scan = scanSegment<Op>(path, bytes, !isLast);
    if (scan.header === undefined) {
      if (name !== segmentFileName(position.seq + 1)) throw missing(path, `records before it, from ${String(position.seq + 1)} on,`);
      log.warn('removed a segment whose creation was cut short', { file: path });
      await disk.remove(path);
      await disk.synchronizeDirectory(directory);
      const rest = names.slice(0, index);
      const previous = rest.at(-1);
      const end = previous === undefined ? 0 : ((await disk.read(join(directory, previous))) ?? Buffer.alloc(0)).length;
      return { position, lastAt, segments: rest, length: end };
    }
    assertContinues(path, name, scan, index === 0 ? undefined : position, covered);
    lastAt = scan.header.at;
    for (const record of scan.records) {
      if (record.seq === covered.seq && record.hash !== covered.hash) throw foreign(path, record.seq);
      lastAt = record.at;
      if (record.seq > covered.seq) replay(record);
    }
    position = scan.position;
    length = scan.goodBytes;
    if (isLast) await settle(ports, path, bytes.length, scan);
  }
  if (position.seq < covered.seq) {
    log.warn('the snapshot is ahead of the journal; continuing behind the snapshot', { directory, seq: covered.seq });
    return { position: covered, lastAt, segments: names, length: -1 };
  }
  return { position, lastAt, segments: names, length };
}

/** Segments whose every record the snapshot holds; a crash between snapshot and removal leaves them behind. */
export async function removeCovered(
  ports: RecoveryPorts,
  directory: string,
  names: readonly string[],
  coveredSeq: number,
): Promise<string[]> {
  const isCovered = (index: number): boolean => {
    const successor = names[index + 1];
    return successor !== undefined && (firstSeqOf(successor) ?? Infinity) <= coveredSeq + 1;
  };
  const kept = names.filter((_, index) => !isCovered(index));
  for (const name of names.slice(0, names.length - kept.length)) {
    ports.crashSites.reach('journal.remove-segment.before');
    await ports.disk.remove(join(directory, name));
    ports.crashSites.reach('journal.remove-segment.after');
  }
  if (kept.length < names.length) await ports.disk.synchronizeDirectory(directory);
  return kept;
}

function assertContinues(
  path: string,
  name: string,
  scan: SegmentScan<unknown>,
  predecessor: Position | undefined,
  covered: Position,
): void {
  const after = scan.header?.after ?? GENESIS;
  if (name !== segmentFileName(after.seq + 1)) {
    throw new AppError('data-corrupt', `${path}: the file name does not fit its header at byte 0`, { retry: 'never' });
  }
  const expected = predecessor ?? covered;
  if (predecessor === undefined ? after.seq > covered.seq : after.seq !== predecessor.seq) {
    throw missing(path, `records before ${String(after.seq + 1)}`);
  }
  if (after.seq === expected.seq && after.hash !== expected.hash) throw foreign(path, after.seq);
}

function foreign(path: string, seq: number): AppError {
  return new AppError('data-corrupt', `${path}: record ${String(seq)} is not the one that this history continues`, {
    retry: 'never',
  });
}

async function settle(ports: RecoveryPorts, path: string, size: number, scan: SegmentScan<unknown>): Promise<void> {
  const file = await ports.disk.open(path);
  try {
    if (scan.goodBytes < size) {
      ports.log.warn('cut the torn end of the journal: it was never acknowledged', {
        file: path,
        offset: scan.goodBytes,
        bytes: size - scan.goodBytes,
      });
      ports.crashSites.reach('journal.recovery-cut.before');
      await file.truncate(scan.goodBytes);
      ports.crashSites.reach('journal.recovery-cut.after');
    }
    await file.synchronize();
  } finally {
    await file.close();
  }
}

function missing(where: string, what: string): AppError {
  return new AppError('data-corrupt', `${where}: ${what} are missing; restore them or move the directory away`, {
    retry: 'never',
  });
}
