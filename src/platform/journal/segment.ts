import { crc32 } from 'node:zlib';
import { AppError, type ChainPosition, type NextTurn } from '../../kernel/index.js';
import { CHECKSUM_BYTES, encodeLine, readLine } from '../disk/index.js';
import { decodeRecord, type JournalRecord } from './record.js';

const FORMAT = 1;
const BATCH = '{"batch":';
/** What is scanned, and applied, in one turn of the event loop: some milliseconds of work. */
const TURN_BYTES = 128 * 1024;
/** The number of the incarnation is absent in names that earlier versions gave. */
const FILE_NAME = /^journal-(\d{16})(?:-(\d{6,}))?\.log$/;

/**
 * First line of a segment; it implies that the previous segment is durable to its last byte. The first record follows `after`.
 */
export interface SegmentHeader {
  readonly format: number;
  readonly after: ChainPosition;
  /** The time of the record at `after`, 0 when there is none. */
  readonly at: number;
  /** A witness file knew the journal's end when this segment was begun. Absent: no. */
  readonly witnessed?: boolean;
}

/** First line of each batch: all bytes of this segment below `durable` were synchronised before the batch was written. */
interface BatchHeader {
  readonly batch: { readonly durable: number };
}

/** Receives the contents of a segment in file order. */
export interface SegmentVisitor<Op> {
  /** Called before any record. */
  begin(header: SegmentHeader): void;
  /** Called instead of `record` for the records of a known prefix. */
  passOver?(prefix: KnownPrefix): void;
  record(record: JournalRecord<Op>): void;
}

/** The start of a segment that was scanned before and found good: a scan of the same bytes would find the same. */
export interface KnownPrefix {
  readonly bytes: number;
  /** CRC-32. */
  readonly checksum: number;
  /** As in `SegmentScan`, of the prefix alone. */
  readonly vouchedBytes: number;
  readonly position: ChainPosition;
  /** The time of the record at `position`. */
  readonly at: number;
}

export interface SegmentScan {
  /** Good bytes from the start. Less than the file's length exactly when something after them is bad. */
  readonly goodBytes: number;
  /** Bytes from the start that were certainly synchronised, as the last good batch header vouches. */
  readonly vouchedBytes: number;
  /** The position after the last good record. */
  readonly position: ChainPosition;
}

/** Incarnation 0 is the one that began with a journal from elsewhere, or was of an earlier version. */
export function segmentFileName(firstSeq: number, incarnation: number): string {
  return `journal-${numbersInName(firstSeq, incarnation)}.log`;
}

/** Two numbers as part of a file name; names sort by the first number. */
export function numbersInName(seq: number, incarnation: number): string {
  const first = String(seq).padStart(16, '0');
  return incarnation === 0 ? first : `${first}-${String(incarnation).padStart(6, '0')}`;
}

/** The number of the file's first record; undefined when the name is not a segment's. */
export function firstSeqOf(fileName: string): number | undefined {
  const match = FILE_NAME.exec(fileName);
  return match ? Number(match[1]) : undefined;
}

/** The incarnation that began the segment. */
export function incarnationOf(fileName: string): number {
  return Number(FILE_NAME.exec(fileName)?.[2] ?? 0);
}

export function encodeHeader({ epoch, seq, hash }: ChainPosition, at: number, isWitnessed = false): string {
  const header: SegmentHeader = { format: FORMAT, after: { epoch, seq, hash }, at };
  return encodeLine(JSON.stringify(isWitnessed ? { ...header, witnessed: true } : header));
}

export function encodeBatchHeader(durable: number): string {
  const header: BatchHeader = { batch: { durable } };
  return encodeLine(JSON.stringify(header));
}

/**
 * Whether the segment holds less than its header because its creation was cut short. Nothing is written after a header until it
 * is durable, so bytes after a bad one mean damage or the format of another release.
 */
export function isCreationCutShort(bytes: Buffer): boolean {
  const first = readLine(bytes, 0);
  return first.json === undefined && first.end === bytes.length && highestDurableOffset(bytes, 0) === 0;
}

/**
 * Reads a segment, up to and including record `lastSeq` if that is given, and hands over each record as soon as it is known to be
 * good. Bad bytes that were promised durable (below the
 * highest offset that a later batch header vouches for, or anywhere when `sealed`) throw `data-corrupt` naming file and offset.
 * Bad bytes beyond are the torn end of a write that was never acknowledged, and only end the scan. A long segment takes many turns
 * of the event loop. Passes over a `known` prefix if the segment still begins with it, and if it holds no record after `lastSeq`.
 */
export async function scanSegment<Op>(
  file: string,
  bytes: Buffer,
  sealed: boolean,
  visitor: SegmentVisitor<Op>,
  lastSeq: number,
  nextTurn: NextTurn,
  known?: KnownPrefix,
): Promise<SegmentScan> {
  const corrupt = (offset: number, why: string): AppError =>
    new AppError(
      'data-corrupt',
      `${file}: ${why} at byte ${String(offset)}; the data before and after it is unchanged`,
      {
        retry: 'never',
      },
    );
  const cutAt = (offset: number, why: string): void => {
    if (sealed || highestDurableOffset(bytes, offset) > offset) throw corrupt(offset, why);
  };

  const first = readLine(bytes, 0);
  const header = first.json === undefined ? undefined : parseHeader(first.json);
  if (header === undefined) throw corrupt(0, 'bad segment header');
  if (header.format !== FORMAT) throw corrupt(0, `unknown format ${String(header.format)}`);

  visitor.begin(header);
  let position: ChainPosition = header.after;
  let offset = first.end;
  let vouchedBytes = 0;
  if (known !== undefined && known.position.seq <= lastSeq && beginsWith(bytes, known)) {
    ({ position, vouchedBytes, bytes: offset } = known);
    visitor.passOver?.(known);
  }
  let turnBegan = offset;
  while (offset < bytes.length && position.seq < lastSeq) {
    const line = readLine(bytes, offset);
    if (line.json === undefined) {
      cutAt(offset, 'bad record');
      break;
    }
    const vouched = vouchedIn(line.json);
    if (vouched !== undefined) {
      vouchedBytes = vouched;
    } else {
      const record = decodeRecord<Op>(position, line.json);
      if (record === undefined) throw corrupt(offset, 'record does not follow its predecessor');
      visitor.record(record);
      position = record;
    }
    offset = line.end;
    if (offset - turnBegan < TURN_BYTES) continue;
    turnBegan = offset;
    await new Promise<void>((resolve) => {
      nextTurn(resolve);
    });
  }
  const { epoch, seq, hash } = position;
  return { goodBytes: offset, vouchedBytes, position: { epoch, seq, hash } };
}

function beginsWith(bytes: Buffer, known: KnownPrefix): boolean {
  return known.bytes <= bytes.length && crc32(bytes.subarray(0, known.bytes)) === known.checksum;
}

/** Reads the header at the start of `bytes`; undefined when there is none. */
export function readHeader(bytes: Buffer): SegmentHeader | undefined {
  const { json } = readLine(bytes, 0);
  return json === undefined ? undefined : parseHeader(json);
}

/** Below which offset a batch header vouches for the bytes of its segment; undefined when `json` is another line. */
export function vouchedIn(json: string): number | undefined {
  return json.startsWith(BATCH) ? (JSON.parse(json) as BatchHeader).batch.durable : undefined;
}

function parseHeader(json: string): SegmentHeader | undefined {
  return json.startsWith('{"format":') ? (JSON.parse(json) as SegmentHeader) : undefined;
}

/**
 * The highest offset that any intact batch header after `from` vouches for, else 0. Looks at every byte, because a damaged
 * newline joins a header to the bad line before it. No record holds such text: JSON puts no space outside of strings and no bare
 * quote inside.
 */
function highestDurableOffset(bytes: Buffer, from: number): number {
  let highest = 0;
  for (let at = bytes.indexOf(BATCH, from); at !== -1; at = bytes.indexOf(BATCH, at + 1)) {
    const { json } = readLine(bytes, at - CHECKSUM_BYTES);
    if (json !== undefined) highest = Math.max(highest, (JSON.parse(json) as BatchHeader).batch.durable);
  }
  return highest;
}
