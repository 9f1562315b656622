import type { ChainPosition, EncodedRecord } from '../../../kernel/index.js';

/** Trimming is a copy of what stays: it happens when so much more than the limit is held. */
const SLACK = 1.25;

/**
 * The newest records, in memory, so that shipping does not read the disk. Holds records without a gap; the oldest go
 * first when their texts are longer than `mostCharacters` in all.
 */
export class RecordTail {
  private records: EncodedRecord[] = [];
  private characters = 0;

  constructor(private readonly maxLength: number) {}

  /** `records` follow the last one that was pushed. */
  push(records: readonly EncodedRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.characters += record.json.length;
    }
    if (this.characters > this.maxLength * SLACK) this.trim();
  }

  /** Undefined when the record is not held. */
  positionAt(seq: number): ChainPosition | undefined {
    const record = this.records[this.indexOf(seq)];
    return record && { epoch: record.epoch, seq: record.seq, hash: record.hash };
  }

  /**
   * The records behind `seq` up to `lastSeq`, texts of about `mostCharacters` in all but at least one record; empty when
   * there are none. Undefined when the first of them is no longer held.
   */
  after(seq: number, lastSeq: number, maxLength: number): readonly EncodedRecord[] | undefined {
    const start = this.indexOf(seq + 1);
    if (start < 0) return undefined;
    const end = Math.min(this.indexOf(lastSeq) + 1, this.records.length);
    let characters = 0;
    let stop = start;
    for (; stop < end && characters < maxLength; stop += 1) characters += this.records[stop]?.json.length ?? 0;
    return this.records.slice(start, stop);
  }

  /** Negative when the record is older than what is held; beyond the end when it is newer. */
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
