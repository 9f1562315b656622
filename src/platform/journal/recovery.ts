import { join } from 'node:path';
import { AppError, type CrashSites, type Disk, type Log, type ChainPosition } from '../../kernel/index.js';
import { readTestimony } from './end-witness.js';
import { EndCheck, endIsMissing, type MissingEnd } from './missing-end.js';
import type { JournalRecord } from './record.js';
import {
  firstSeqOf,
  isCreationCutShort,
  scanSegment,
  segmentFileName,
  type SegmentHeader,
  type SegmentScan,
} from './segment.js';

export interface RecoveryPorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
  readonly log: Log;
}

export interface RecoveredJournal {
  readonly position: ChainPosition;
  /** The time of the last record, 0 when there is none. */
  readonly lastAt: number;
  /** File names, oldest first; the last continues at `length`. Empty: a new segment must be begun. */
  readonly segments: readonly string[];
  readonly length: number;
  /** The missing records that the witness vouches for or may have vouched for. */
  readonly missing: MissingEnd | undefined;
}

/** Without the journal's end, `refuse` throws `recovery-needed`; `report` continues, and the owner gets the rest elsewhere. */
export type WhenEndIsMissing = 'refuse' | 'report';

/**
 * Makes the segments in `directory` appendable and replays the records after `covered` (the newest snapshot's position) in order.
 * Removes covered segments that end before `keptFrom`. Every replayed record is durable when it resolves, even if a killed
 * predecessor had not synchronised it. Throws `data-corrupt` when durable bytes are bad or missing in between, `recovery-needed`
 * when they are missing at the end.
 */
export async function recoverJournal<Op>(
  ports: RecoveryPorts,
  directory: string,
  covered: ChainPosition,
  replay: (record: JournalRecord<Op>) => void,
  keptFrom = covered.seq + 1,
  whenEndIsMissing: WhenEndIsMissing = 'refuse',
): Promise<RecoveredJournal> {
  const { disk, log } = ports;
  // Makes a killed predecessor's created, renamed and removed names durable before anything depends on them.
  await disk.synchronizeDirectory(directory);
  const all = (await disk.list(directory)).filter((name) => firstSeqOf(name) !== undefined);
  const check = new EndCheck(await readTestimony(disk, directory));
  const newest = all.at(-1);
  const newestBytes = newest === undefined ? undefined : await disk.read(join(directory, newest));
  // A segment that lacks its whole header never held a record, and everything before it is durable.
  const unfinished = newestBytes && isCreationCutShort(newestBytes) ? newest : undefined;
  const whole = unfinished === undefined ? all : all.slice(0, -1);
  let names = uncovered(whole, Math.min(covered.seq, keptFrom - 1));

  let position = covered;
  let lastAt = 0;
  let isWitnessed = false;
  check.see(covered);
  let last: { readonly path: string; readonly bytes: Buffer; readonly scan: SegmentScan } | undefined;
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const bytes = (name === newest ? newestBytes : await disk.read(path)) ?? Buffer.alloc(0);
    const predecessor = index === 0 ? undefined : position;
    const scan = scanSegment<Op>(path, bytes, name !== newest, {
      begin: (header) => {
        // A snapshot that was ahead has replaced the records in between, and a crash left the segments before it.
        const isBehindGap = predecessor && header.after.seq > predecessor.seq && header.after.seq <= covered.seq;
        if (isBehindGap) names = names.slice(names.indexOf(name));
        assertContinues(path, name, header, isBehindGap ? undefined : predecessor, covered);
        lastAt = header.at;
        isWitnessed = header.witnessed ?? false;
        check.see(header.after);
      },
      record: (record) => {
        check.see(record);
        if (record.seq === covered.seq && record.hash !== covered.hash) throw foreign(path, record.seq);
        lastAt = record.at;
        if (record.seq > covered.seq) replay(record);
      },
    });
    position = scan.position;
    last = { path, bytes, scan };
  }
  const isBehind = position.seq < covered.seq;
  const end = isBehind ? covered : position;
  if (unfinished !== undefined && unfinished !== segmentFileName(end.seq + 1)) {
    throw missing(join(directory, unfinished), `records before it, from ${String(end.seq + 1)} on,`);
  }
  const missingEnd = check.missingFrom({
    ...{ directory, position: end, path: last?.path, bytes: last?.scan.goodBytes ?? 0, isWitnessed },
    lacksSegments: all.length === 0 && covered.seq > 0,
  });
  if (missingEnd && whenEndIsMissing === 'refuse') throw endIsMissing(missingEnd);

  // Nothing was changed up to here: a refused journal is left as found.
  if (last) await settle(ports, last.path, last.bytes, last.scan);
  if (unfinished !== undefined) await discard(ports, directory, unfinished, last === undefined);
  await removeCovered(ports, directory, whole, (firstSeqOf(names[0] ?? '') ?? 1) - 1);
  if (isBehind) {
    log.warn('the snapshot is ahead of the journal; continuing after the snapshot', { directory, seq: covered.seq });
  }
  const length = isBehind ? -1 : (last?.scan.goodBytes ?? 0);
  return { position: end, lastAt, segments: names, length, missing: missingEnd };
}

/** Removes, oldest first, the segments that a snapshot up to `coveredSeq` covers completely. Returns the others. */
export async function removeCovered(
  ports: RecoveryPorts,
  directory: string,
  names: readonly string[],
  coveredSeq: number,
): Promise<string[]> {
  const kept = uncovered(names, coveredSeq);
  for (const name of names.slice(0, names.length - kept.length)) {
    ports.crashSites.reach('journal.remove-segment.before');
    await ports.disk.remove(join(directory, name));
    ports.crashSites.reach('journal.remove-segment.after');
  }
  if (kept.length < names.length) await ports.disk.synchronizeDirectory(directory);
  return kept;
}

function uncovered(names: readonly string[], coveredSeq: number): string[] {
  return names.filter((_, index) => {
    const successor = names[index + 1];
    return successor === undefined || (firstSeqOf(successor) ?? Infinity) > coveredSeq + 1;
  });
}

function assertContinues(
  path: string,
  name: string,
  { after }: SegmentHeader,
  predecessor: ChainPosition | undefined,
  covered: ChainPosition,
): void {
  if (name !== segmentFileName(after.seq + 1)) {
    throw new AppError('data-corrupt', `${path}: the file name contradicts its header at byte 0`, { retry: 'never' });
  }
  const expected = predecessor ?? covered;
  if (predecessor === undefined ? after.seq > covered.seq : after.seq !== predecessor.seq) {
    throw missing(path, `records before ${String(after.seq + 1)}`);
  }
  if (after.seq === expected.seq && after.hash !== expected.hash) throw foreign(path, after.seq);
}

function foreign(path: string, seq: number): AppError {
  return new AppError('data-corrupt', `${path}: record ${String(seq)} belongs to another history`, {
    retry: 'never',
  });
}

/**
 * Makes the good part durable and removes the rest. Bytes that no batch header vouches for are written again: after a failed
 * fdatasync the kernel reports them as written but may have dropped them ("fsyncgate", 2018).
 */
async function settle(ports: RecoveryPorts, path: string, bytes: Buffer, scan: SegmentScan): Promise<void> {
  const { goodBytes, vouchedBytes } = scan;
  const file = await ports.disk.open(path);
  try {
    if (goodBytes < bytes.length) {
      ports.log.warn('removed the torn end of the journal: it was never acknowledged', {
        file: path,
        offset: goodBytes,
        bytes: bytes.length - goodBytes,
      });
      ports.crashSites.reach('journal.recovery-cut.before');
      await file.truncate(goodBytes);
      ports.crashSites.reach('journal.recovery-cut.after');
    }
    await file.write(bytes.subarray(vouchedBytes, goodBytes), vouchedBytes);
    await file.synchronize();
  } finally {
    await file.close();
  }
}

/** A sole segment remains, to be begun again in place, so that an interrupted start does not find no segment at all. */
async function discard(ports: RecoveryPorts, directory: string, name: string, isOnly: boolean): Promise<void> {
  const path = join(directory, name);
  ports.log.warn('removed a segment whose creation was interrupted', { file: path });
  if (isOnly) return;
  await ports.disk.remove(path);
  await ports.disk.synchronizeDirectory(directory);
}

function missing(where: string, what: string): AppError {
  return new AppError('data-corrupt', `${where}: ${what} are missing; restore them or move the directory away`, {
    retry: 'never',
  });
}
