import { crc32 } from 'node:zlib';
import type { ChainPosition, Disk, DiskReader, NextTurn } from '../../kernel/index.js';
import { readLine } from '../disk/index.js';
import { decodeRecord, type JournalRecord } from './record.js';
import { type KnownPrefix, readHeader, vouchedIn } from './segment.js';

/** The journal cannot be read on from where a reader stands. */
export class Astray extends Error {}

/** Some milliseconds of work. */
const READ_BYTES = 128 * 1024;
/** The file that witnesses the end of a journal lags a little, and a recovery begins before the record that it names. */
const PREFIXES_KEPT = 8;
const PREFIX_STEP_BYTES = 32 * 1024;
const HEADER_BYTES = 4 * 1024;

/** A segment that another process may still write, read up to where its bytes are certain. */
export class SegmentAhead<Op> {
  /** Of certain bytes, shortest first; the last one is all that was read. */
  prefixes: readonly KnownPrefix[];
  private seenSize = -1;

  private constructor(
    private readonly reader: DiskReader,
    private readonly nextTurn: NextTurn,
    readonly path: string,
    readonly name: string,
    /** The record that the first one of the segment follows. */
    readonly after: ChainPosition,
    private last: KnownPrefix,
  ) {
    this.prefixes = [last];
  }

  /** Undefined when the file is gone or has no whole header yet. */
  static async open<Op>(
    { disk, nextTurn }: { readonly disk: Disk; readonly nextTurn: NextTurn },
    path: string,
    name: string,
  ): Promise<SegmentAhead<Op> | undefined> {
    const reader = await disk.openForReading(path);
    if (reader === undefined) return undefined;
    let segment: SegmentAhead<Op> | undefined;
    try {
      const bytes = await reader.read(0, HEADER_BYTES);
      const header = readHeader(bytes);
      if (header === undefined) return undefined;
      const { after, at } = header;
      const { end } = readLine(bytes, 0);
      const first = { bytes: end, checksum: crc32(bytes.subarray(0, end)), vouchedBytes: 0, position: after, at };
      segment = new SegmentAhead<Op>(reader, nextTurn, path, name, after, first);
      return segment;
    } finally {
      if (segment === undefined) await reader.close();
    }
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  /**
   * Yields the records, in order, that have become certain since the last call, in pieces; they count as read when the consumer goes
   * on. `lastSeq`: the last record of the segment where another one follows, which vouches for all before it; else Infinity. Throws `Astray` when a record does not follow its predecessor.
   */
  async *read(lastSeq: number): AsyncGenerator<readonly JournalRecord<Op>[], void, undefined> {
    const size = await this.reader.size();
    if (size < this.last.bytes) throw new Astray(`${this.path} is shorter than it was`);
    if (size === this.seenSize && lastSeq === Infinity) return;
    this.seenSize = size;
    let window = READ_BYTES;
    while (this.last.position.seq < lastSeq) {
      const bytes = await this.reader.read(this.last.bytes, window);
      const { records, prefix } = this.certainIn(bytes, lastSeq);
      this.note(prefix);
      if (records.length > 0) yield records;
      if (bytes.length < window) return;
      // A batch may be larger than what was read.
      window = records.length > 0 ? READ_BYTES : 2 * window;
      await new Promise<void>((resolve) => {
        this.nextTurn(resolve);
      });
    }
  }

  /** Reads lines as `scanSegment` does; a line that is not good may be one that is being written. */
  private certainIn(
    bytes: Buffer,
    lastSeq: number,
  ): { readonly records: readonly JournalRecord<Op>[]; readonly prefix: KnownPrefix } {
    const from = this.last;
    const read: JournalRecord<Op>[] = [];
    let certain = { prefix: from, count: 0 };
    let { position, at, vouchedBytes } = from;
    let offset = 0;
    const vouch = (): void => {
      const checked = certain.prefix.bytes - from.bytes;
      const checksum = crc32(bytes.subarray(checked, offset), certain.prefix.checksum);
      certain = {
        prefix: { bytes: from.bytes + offset, checksum, vouchedBytes, position, at },
        count: read.length,
      };
    };
    while (offset < bytes.length && position.seq < lastSeq) {
      const line = readLine(bytes, offset);
      if (line.json === undefined) break;
      const vouched = vouchedIn(line.json);
      if (vouched === undefined) {
        const record = decodeRecord<Op>(position, line.json);
        if (record === undefined)
          throw new Astray(`${this.path}: a record does not follow record ${String(position.seq)}`);
        read.push(record);
        const { epoch, seq, hash } = record;
        ({ at } = record);
        position = { epoch, seq, hash };
      } else {
        if (vouched === from.bytes + offset) vouch();
        vouchedBytes = vouched;
      }
      offset = line.end;
    }
    if (lastSeq !== Infinity) vouch();
    return { records: read.slice(0, certain.count), prefix: certain.prefix };
  }

  private note(prefix: KnownPrefix): void {
    if (prefix.bytes === this.last.bytes) return;
    const [beforeLast] = this.prefixes.slice(-2);
    const isCrowded = beforeLast !== this.last && this.last.bytes - (beforeLast?.bytes ?? 0) < PREFIX_STEP_BYTES;
    const kept = isCrowded ? this.prefixes.slice(0, -1) : this.prefixes;
    this.prefixes = [...kept, prefix].slice(-PREFIXES_KEPT);
    this.last = prefix;
  }
}
