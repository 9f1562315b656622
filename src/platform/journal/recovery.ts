import { join } from 'node:path';
import {
  AppError,
  type CrashSites,
  type Disk,
  type Log,
  type ChainPosition,
  type NextTurn,
} from '../../kernel/index.js';
import { readTestimony } from './end-witness.js';
import { EndCheck, endIsMissing, type MissingEnd } from './missing-end.js';
import type { JournalRecord } from './record.js';
import {
  firstSeqOf,
  incarnationOf,
  isCreationCutShort,
  type KnownPrefix,
  scanSegment,
  type SegmentHeader,
  type SegmentScan,
  type SegmentVisitor,
} from './segment.js';
import { lastLivingSeq, livingAmong, segmentsAmong } from './segment-names.js';

export interface RecoveryPorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
  readonly log: Log;
}

/** Opening a segment takes a start about as long as reading so much. */
const SEGMENT_COSTS_BYTES = 32 * 1024;

export interface RecoveredJournal {
  readonly position: ChainPosition;
  /** The time of the last record, 0 when there is none. */
  readonly lastAt: number;
  /** File names, oldest first. A new segment must follow. */
  readonly segments: readonly string[];
  /** The snapshot is ahead of the segments: they can be removed once a segment follows it. */
  readonly isBehind: boolean;
  /** All segments that recovery found. */
  readonly seen: readonly string[];
  /** Segments without any record of the history. They can be removed once a new segment is there. */
  readonly obsolete: readonly string[];
  readonly last: LastSegment | undefined;
  /** What the next start reads again while no newer snapshot covers it: bytes, and for each segment at least `SEGMENT_COSTS_BYTES`. */
  readonly uncoveredBytes: number;
  /** The missing records that the witness vouches for or may have vouched for. */
  readonly missing: MissingEnd | undefined;
}

/** The last segment that recovery read. */
export interface LastSegment {
  readonly path: string;
  /** Its length when it was read. */
  readonly bytes: number;
  /** Its length without the torn end of a write that was never acknowledged. */
  readonly goodBytes: number;
}

interface Scanned {
  readonly path: string;
  readonly bytes: Buffer;
  readonly scan: SegmentScan;
}

/** The records up to `position` were read from this directory before, while another process wrote there. */
export interface ReadAhead {
  readonly position: ChainPosition;
  /** The prefixes of a segment that are known, shortest first; all end at or before `position`. */
  known(segment: string): readonly KnownPrefix[];
}

/** The history in the directory does not go through what was read ahead. Nothing was changed. */
export class NotAsReadAhead extends Error {}

export interface RecoveryOptions {
  /** Covered segments that end before this record are removed. Absent: the one after the covered ones. */
  readonly keptFrom?: number | undefined;
  /** `refuse` when absent. */
  readonly whenEndIsMissing?: WhenEndIsMissing | undefined;
  readonly ahead?: ReadAhead | undefined;
}

/** Without the journal's end, `refuse` throws `recovery-needed`; `report` continues, and the owner gets the rest elsewhere. */
export type WhenEndIsMissing = 'refuse' | 'report';

/**
 * Makes the segments in `directory` continuable and replays the records after `covered` (the newest snapshot's position) in order.
 * Those up to `ahead.position` are not replayed, and of the segments only what is not known of them is scanned. Every replayed record is durable when it resolves, even if a killed
 * predecessor had not synchronised it. Throws `data-corrupt` when durable bytes are bad or missing in between, `recovery-needed`
 * when they are missing at the end, and `NotAsReadAhead`.
 */
export async function recoverJournal<Op>(
  ports: RecoveryPorts & { readonly nextTurn: NextTurn },
  directory: string,
  covered: ChainPosition,
  replay: (record: JournalRecord<Op>) => void,
  { keptFrom = covered.seq + 1, whenEndIsMissing = 'refuse', ahead }: RecoveryOptions = {},
): Promise<RecoveredJournal> {
  const { disk, log } = ports;
  // Makes a killed predecessor's created, renamed and removed names durable before anything depends on them.
  await disk.synchronizeDirectory(directory);
  const all = segmentsAmong(await disk.list(directory));
  const testimony = await readTestimony(disk, directory);
  const check = new EndCheck(testimony);
  const route = new Route(ahead, covered);
  const witnessedSeq = typeof testimony === 'string' ? Infinity : testimony.seq;
  const { begun, unfinished, newestBytes } = await withoutUnfinished(disk, directory, all);
  const whole = livingAmong(begun);
  const newest = whole.at(-1);
  let names = uncovered(whole, Math.min(covered.seq, keptFrom - 1));

  let position = covered;
  let lastAt = 0;
  let isWitnessed = false;
  const see = (position: ChainPosition): void => {
    check.see(position);
    route.see(position);
  };
  see(covered);
  let last: Scanned | undefined;
  let uncoveredBytes = 0;
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const bytes = (name === newest ? newestBytes : await disk.read(path)) ?? Buffer.alloc(0);
    const predecessor = index === 0 ? undefined : position;
    const visitor: SegmentVisitor<Op> = {
      begin: (header) => {
        // A snapshot that was ahead has replaced the records in between, and a crash left the segments before it.
        const isBehindGap = predecessor && header.after.seq > predecessor.seq && header.after.seq <= covered.seq;
        if (isBehindGap) names = names.slice(names.indexOf(name));
        assertContinues(path, name, header, isBehindGap ? undefined : predecessor, covered);
        lastAt = header.at;
        isWitnessed = header.witnessed ?? false;
        see(header.after);
      },
      passOver: (prefix) => {
        see(prefix.position);
        lastAt = prefix.at;
      },
      record: (record) => {
        see(record);
        if (record.seq === covered.seq && record.hash !== covered.hash) throw foreign(path, record.seq);
        lastAt = record.at;
        if (route.isNew(record)) replay(record);
      },
    };
    const successor = whole[whole.indexOf(name) + 1];
    const lastSeq = lastLivingSeq(name, successor);
    const hasRotated = unfinished.some((other) => incarnationOf(other) === incarnationOf(name));
    // A snapshot may have been ahead of what the successor found of this segment.
    const isSealed = successor === undefined ? hasRotated : lastSeq > covered.seq;
    // The witness must be compared with the record that it names.
    const mayPass = ({ seq }: ChainPosition): boolean =>
      seq <= lastSeq && (seq <= witnessedSeq || (firstSeqOf(name) ?? 0) > witnessedSeq);
    const known = ahead?.known(name).findLast((prefix) => mayPass(prefix.position));
    const scan = await scanSegment<Op>(path, bytes, isSealed, visitor, lastSeq, ports.nextTurn, known);
    position = scan.position;
    last = { path, bytes, scan };
    if (position.seq > covered.seq) uncoveredBytes += Math.max(SEGMENT_COSTS_BYTES, scan.goodBytes);
  }
  const isBehind = position.seq < covered.seq;
  const end = isBehind ? covered : position;
  const orphan = unfinished.find((name) => (firstSeqOf(name) ?? 0) > end.seq + 1);
  if (orphan !== undefined) {
    throw missing(join(directory, orphan), `records before it, from ${String(end.seq + 1)} on,`);
  }
  const missingEnd = check.missingFrom({
    ...{ directory, position: end, path: last?.path, bytes: last?.scan.goodBytes ?? 0, isWitnessed },
    lacksSegments: all.length === 0 && covered.seq > 0,
  });
  if (missingEnd && whenEndIsMissing === 'refuse') throw endIsMissing(missingEnd);

  route.assertReached();

  // Nothing was changed up to here: a refused journal is left as found.
  if (last) await settle(ports, last);
  const isOnly = last === undefined;
  if (unfinished.length > 0) await discard(ports, directory, unfinished, isOnly);
  await removeCovered(ports, directory, whole, (firstSeqOf(names[0] ?? '') ?? 1) - 1);
  if (isBehind) {
    log.warn('the snapshot is ahead of the journal; continuing after the snapshot', { directory, seq: covered.seq });
  }
  return {
    ...{ position: end, lastAt, segments: names, isBehind, missing: missingEnd, seen: all, uncoveredBytes },
    obsolete: [...begun.filter((name) => !whole.includes(name)), ...(isOnly ? unfinished : [])],
    last: last && { path: last.path, bytes: last.bytes.length, goodBytes: last.scan.goodBytes },
  };
}

/** Whether the history goes through the last record that was read ahead. */
class Route {
  private readonly from: ChainPosition;
  private isReached = false;

  constructor(
    private readonly ahead: ReadAhead | undefined,
    covered: ChainPosition,
  ) {
    this.from = ahead?.position ?? covered;
  }

  see({ seq, hash }: ChainPosition): void {
    if (seq === this.from.seq && hash === this.from.hash) this.isReached = true;
  }

  /** Whether a record of the history was not read ahead. */
  isNew({ seq }: ChainPosition): boolean {
    if (seq > this.from.seq) this.assertReached();
    return seq > this.from.seq;
  }

  assertReached(): void {
    if (this.ahead === undefined || this.isReached) return;
    throw new NotAsReadAhead(`the history does not go through record ${String(this.from.seq)} as it was read ahead`);
  }
}

/** A segment without its whole header never held a record, and all before it is durable. */
async function withoutUnfinished(
  disk: Disk,
  directory: string,
  all: readonly string[],
): Promise<{
  readonly begun: readonly string[];
  readonly unfinished: readonly string[];
  readonly newestBytes?: Buffer;
}> {
  const unfinished: string[] = [];
  for (const name of all.toReversed()) {
    const bytes = await disk.read(join(directory, name));
    const begun = all.slice(0, all.length - unfinished.length);
    if (bytes === undefined) return { begun, unfinished };
    if (!isCreationCutShort(bytes)) return { begun, unfinished, newestBytes: bytes };
    unfinished.push(name);
  }
  return { begun: [], unfinished };
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
  if (firstSeqOf(name) !== after.seq + 1) {
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
 * Makes the good part durable. Bytes that no batch header vouches for are written again: after a failed fdatasync the kernel
 * reports them as written but may have dropped them ("fsyncgate", 2018).
 */
async function settle(ports: RecoveryPorts, { path, bytes, scan }: Scanned): Promise<void> {
  const file = await ports.disk.open(path);
  try {
    await file.write(bytes.subarray(scan.vouchedBytes, scan.goodBytes), scan.vouchedBytes);
    await file.synchronize();
  } finally {
    await file.close();
  }
}

/** Where there are no others they stay, so that an interrupted start does not find no segment at all. */
async function discard(
  ports: RecoveryPorts,
  directory: string,
  names: readonly string[],
  areOnly: boolean,
): Promise<void> {
  ports.log.warn('removed a segment whose creation was interrupted', { directory, names });
  if (areOnly) return;
  for (const name of names) await ports.disk.remove(join(directory, name));
  await ports.disk.synchronizeDirectory(directory);
}

function missing(where: string, what: string): AppError {
  return new AppError('data-corrupt', `${where}: ${what} are missing; restore them or move the directory away`, {
    retry: 'never',
  });
}
