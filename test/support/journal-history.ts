import { createHash } from 'node:crypto';
import type { JournalRecord } from '../../src/platform/journal/index.js';

/** The operation of the tests: each `n` is used once. */
export interface NumberedOp {
  readonly n: number;
  readonly text: string;
}

export type NumberedRecord = JournalRecord<NumberedOp>;

/** The answers to a journal's clients, and the check of a recovered history against them. It does not know the files. */
export class JournalHistory {
  private readonly attempted = new Set<number>();
  private readonly refused = new Set<number>();
  private readonly promised = new Map<number, NumberedRecord>();
  private readonly broken: string[] = [];

  attempt(op: NumberedOp): void {
    this.attempted.add(op.n);
  }

  /** The client received an acknowledgement. */
  acknowledge(record: NumberedRecord, isStopped: boolean): void {
    if (isStopped) this.broken.push(`record ${String(record.seq)} was acknowledged after the process had to stop`);
    if (record.seq <= this.lastPromised) this.broken.push(`record ${String(record.seq)} was acknowledged out of order`);
    this.promised.set(record.seq, record);
  }

  /** The client received a definite refusal. */
  refuse(op: NumberedOp): void {
    this.refused.add(op.n);
  }

  /** A new process has shown these records, so they must remain. */
  recovered(records: readonly NumberedRecord[]): void {
    records.forEach((record) => this.promised.set(record.seq, record));
  }

  get promisedCount(): number {
    return this.promised.size;
  }

  /** One sentence for each broken promise in `records`, the whole history from the first one on. */
  audit(records: readonly NumberedRecord[]): string[] {
    return [...this.broken, ...chainViolations(records), ...this.lostPromises(records), ...this.strangers(records)];
  }

  private get lastPromised(): number {
    return Math.max(0, ...this.promised.keys());
  }

  private lostPromises(records: readonly NumberedRecord[]): string[] {
    const seqs = [...this.promised.values()].filter(({ seq, hash }) => records[seq - 1]?.hash !== hash);
    return seqs.map(({ seq }) => `record ${String(seq)} was acknowledged but is lost`);
  }

  private strangers(records: readonly NumberedRecord[]): string[] {
    const seen = new Set<number>();
    return records.flatMap(({ seq, op }) => {
      const isRepeated = seen.has(op.n);
      seen.add(op.n);
      if (this.refused.has(op.n)) return [`record ${String(seq)} was refused but exists`];
      if (!this.attempted.has(op.n)) return [`record ${String(seq)} was never appended`];
      return isRepeated ? [`record ${String(seq)} exists twice`] : [];
    });
  }
}

/** Computes the chain anew, independently of the journal's own check. */
function chainViolations(records: readonly NumberedRecord[]): string[] {
  let previous = { epoch: 0, hash: '0'.repeat(32), at: 0 };
  return records.flatMap((record, index) => {
    const { epoch, seq, hash, at, op } = record;
    const text = `${previous.hash} ${String(epoch)} ${String(seq)} ${String(at)} ${JSON.stringify(op)}`;
    const expected = createHash('sha256').update(text).digest('hex').slice(0, 32);
    const found = [
      ...(seq === index + 1 ? [] : [`record ${String(index + 1)} has the number ${String(seq)}`]),
      ...(hash === expected ? [] : [`record ${String(seq)} does not continue the chain`]),
      ...(at >= previous.at ? [] : [`record ${String(seq)} is older than its predecessor`]),
      ...(epoch >= previous.epoch ? [] : [`record ${String(seq)} is of an older epoch than its predecessor`]),
    ];
    previous = record;
    return found;
  });
}
