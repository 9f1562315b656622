import type { ChainPosition, EncodedRecord } from '../../../kernel/index.js';

/** Trimming copies the remaining records, so it waits until the tail exceeds its limit by this factor. */
const SLACK = 1.25;

/** Keeps the newest records without a gap, about `maxLength` characters, so that shipping does not read the disk. */
export class RecordTail {
  private records: EncodedRecord[] = [];
  private characters = 0;

  constructor(private readonly maxLength: number) {}

  /** `records` follow the last record pushed. */
  push(records: readonly EncodedRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.characters += record.json.length;
    }
    if (this.characters > this.maxLength * SLACK) this.trim();
  }

  /** Undefined when the tail does not hold the record. */
  positionAt(seq: number): ChainPosition | undefined {
    const record = this.records[this.indexOf(seq)];
    return record && { epoch: record.epoch, seq: record.seq, hash: record.hash };
  }

  /** Records after `seq` up to `lastSeq`: about `maxLength` characters, at least one if any. Undefined: the first was dropped. */
  after(seq: number, lastSeq: number, maxLength: number): readonly EncodedRecord[] | undefined {
    const start = this.indexOf(seq + 1);
    if (start < 0) return undefined;
    const end = Math.min(this.indexOf(lastSeq) + 1, this.records.length);
    let characters = 0;
    let stop = start;
    for (; stop < end && characters < maxLength; stop += 1) characters += this.records[stop]?.json.length ?? 0;
    return this.records.slice(start, stop);
  }

  /** Negative when the record is older than the tail; beyond the end when it is newer. */
  private indexOf(seq: number): number {
    const first = this.records[0];
    return first === undefined ? -1 : seq - first.seq;
  }

  private trim(): void {
    let first = 0;
    while (this.characters > this.maxLength) {
      this.characters -= this.records[first]?.json.length ?? 0;
      first += 1;
    }
    this.records = this.records.slice(first);
  }
}
