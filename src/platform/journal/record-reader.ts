import { join } from 'node:path';
import { AppError, type Disk, type EncodedRecord, type ChainPosition, GENESIS } from '../../kernel/index.js';
import { readLine } from '../disk/index.js';
import { positionInRecord } from './record.js';
import { firstSeqOf, readHeader } from './segment.js';
import { lastLivingSeq } from './segment-names.js';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;
const HEADER_BYTES = 4 * 1024;
/** The distance between known positions in a segment: the most that a search for a record reads in vain. */
const MARK_BYTES = 64 * 1024;

/** The offset of a line that comes after all records before `seq` and not after `seq`. */
interface Mark {
  readonly seq: number;
  readonly offset: number;
}

/** The readable part of a journal: all segments in full, except that only `durableBytes` of the last are readable. */
export interface ReadableSegments {
  readonly segments: readonly string[];
  readonly durable: ChainPosition;
  readonly durableBytes: number;
}

/** Reads durable records beside appends, rotation and removal. It remembers offsets so that continuing a read is cheap. */
export class RecordReader {
  private readonly marks = new Map<string, Mark[]>();

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly readable: () => ReadableSegments,
  ) {}

  /** The oldest readable record; one more than the last record when there is none. */
  get firstSeq(): number {
    return firstOf(this.readable().segments[0]);
  }

  /** `seq` is the first record after `offset`, where a line begins. */
  note(segment: string, seq: number, offset: number): void {
    const marks = this.marks.get(segment) ?? [];
    const after = marks.findLastIndex((mark) => mark.offset <= offset);
    const isNear = (mark: Mark | undefined): boolean =>
      mark !== undefined && Math.abs(mark.offset - offset) < MARK_BYTES;
    if (isNear(marks[after]) || isNear(marks[after + 1])) return;
    marks.splice(after + 1, 0, { seq, offset });
    this.marks.set(segment, marks);
  }

  forget(segment: string): void {
    this.marks.delete(segment);
  }

  /** Same as `Journal.readFrom`. */
  async readFrom(seq: number, limitBytes: number): Promise<readonly EncodedRecord[] | 'gone'> {
    const { segments, durable, durableBytes } = this.readable();
    if (seq > durable.seq) return [];
    const found = new Found(seq, durable.seq, limitBytes);
    while (!found.isComplete) {
      const holder = (): string | undefined => segments.findLast((name) => firstOf(name) <= found.nextSeq);
      const segment = holder();
      const end = segment === segments.at(-1) ? durableBytes : undefined;
      const successor = segment === undefined ? undefined : segments[segments.indexOf(segment) + 1];
      const lastSeq = segment === undefined ? Infinity : lastLivingSeq(segment, successor);
      const isThere = segment !== undefined && (await this.readSegment(segment, end, lastSeq, found));
      if (!isThere) return found.records.length > 0 ? found.records : 'gone';
      if (!found.isComplete && holder() === segment) throw missing(join(this.directory, segment), found.nextSeq);
    }
    return found.records;
  }

  /** Same as `Journal.positionAt`. */
  async positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined> {
    const { segments, durable } = this.readable();
    if (seq === 0) return GENESIS;
    if (seq > durable.seq) return undefined;
    if (seq === durable.seq) return durable;
    const [oldest] = segments;
    if (oldest !== undefined && seq === firstOf(oldest) - 1) return this.positionBefore(oldest);
    const records = await this.readFrom(seq, 1);
    const [record] = records === 'gone' ? [] : records;
    return record ? { epoch: record.epoch, seq: record.seq, hash: record.hash } : 'gone';
  }

  /** False when the segment is gone. */
  private async readSegment(
    segment: string,
    durableBytes: number | undefined,
    lastSeq: number,
    found: Found,
  ): Promise<boolean> {
    const path = join(this.directory, segment);
    const reader = await this.disk.openForReading(path);
    if (reader === undefined) return false;
    try {
      const end = durableBytes ?? (await reader.size());
      let offset = this.marks.get(segment)?.findLast((mark) => mark.seq <= found.nextSeq)?.offset ?? 0;
      let lineBytes = 0;
      while (offset < end && !found.isComplete && found.nextSeq <= lastSeq) {
        const likely = Math.min(CHUNK_BYTES, found.roomBytes + MARK_BYTES);
        const wanted = Math.min(Math.max(likely, lineBytes), end - offset);
        const bytes = await reader.read(offset, wanted);
        const whole = bytes.lastIndexOf(NEWLINE) + 1;
        const isLongLine = whole === 0 && bytes.length === wanted && wanted < end - offset;
        if (isLongLine) {
          lineBytes = 2 * wanted;
          continue;
        }
        if (whole === 0) throw corrupt(path, offset);
        this.readLines(segment, bytes.subarray(0, whole), offset, lastSeq, found);
        offset += whole;
      }
      return true;
    } finally {
      await reader.close();
    }
  }

  private readLines(segment: string, bytes: Buffer, offset: number, lastSeq: number, found: Found): void {
    for (let at = 0; at < bytes.length && !found.isComplete && found.nextSeq <= lastSeq;) {
      const line = readLine(bytes, at);
      if (line.json === undefined) throw corrupt(join(this.directory, segment), offset + at);
      const position = positionInRecord(line.json);
      if (position) {
        if (at === 0) this.note(segment, position.seq, offset);
        if (position.seq > found.nextSeq) throw corrupt(join(this.directory, segment), offset + at);
        found.take({ ...position, json: line.json }, line.end - line.start);
        // The next read begins where this one ends.
        if (found.isComplete) this.note(segment, position.seq, offset + at);
      }
      at = line.end;
    }
  }

  /** The position that the first record of the oldest segment follows. */
  private async positionBefore(segment: string): Promise<ChainPosition | 'gone'> {
    const path = join(this.directory, segment);
    const reader = await this.disk.openForReading(path);
    if (reader === undefined) return 'gone';
    try {
      const header = readHeader(await reader.read(0, HEADER_BYTES));
      if (header === undefined) throw corrupt(path, 0);
      return header.after;
    } finally {
      await reader.close();
    }
  }
}

/** The result of a read so far, and whether it is complete. */
class Found {
  readonly records: EncodedRecord[] = [];
  isComplete = false;
  private bytes = 0;

  constructor(
    public nextSeq: number,
    private readonly lastSeq: number,
    private readonly limitBytes: number,
  ) {}

  get roomBytes(): number {
    return Math.max(0, this.limitBytes - this.bytes);
  }

  take(record: EncodedRecord, lineBytes: number): void {
    if (record.seq < this.nextSeq) return;
    this.bytes += lineBytes;
    if (this.bytes > this.limitBytes && this.records.length > 0) {
      this.isComplete = true;
      return;
    }
    this.records.push(record);
    this.nextSeq = record.seq + 1;
    this.isComplete = this.nextSeq > this.lastSeq || this.bytes >= this.limitBytes;
  }
}

function firstOf(segment: string | undefined): number {
  return (segment === undefined ? undefined : firstSeqOf(segment)) ?? Infinity;
}

function missing(path: string, seq: number): AppError {
  return new AppError('data-corrupt', `${path}: record ${String(seq)} is missing now`, {
    retry: 'never',
  });
}

function corrupt(path: string, offset: number): AppError {
  return new AppError('data-corrupt', `${path}: bad record at byte ${String(offset)}, damaged since the start`, {
    retry: 'never',
  });
}
