import { parseLogPosition, type LogPosition, logPositionText } from '../../kernel/index.js';
import type { JournalRecord } from '../journal/index.js';
import type { Applied } from './document-machine.js';
import type { DocumentOp } from './document-op.js';
import type { CarriedOutTransaction } from './transaction-memory.js';

/**
 * What a history says, when it is opened, of the transactions that it has seen: from its snapshot, and record by record
 * from there to where this process began to write.
 *
 * It is kept for the whole incarnation, as a person may ask later than at the start what became of one that has no row, and does
 * not grow in it: an entry for each decision that the snapshot remembers, and one or two for each transaction between the
 * snapshot and this incarnation. These are as many as `snapshotEveryBytes` of journal hold, and more only where no snapshot could
 * be written; they take about as much memory as their records take there.
 */
export class EarlierTransactions {
  private readonly decided: CarriedOutTransaction[] = [];
  private readonly preparedAt = new Map<string, string>();
  private snapshotSeq = 0;
  private ownEpoch: LogPosition | undefined;

  /** `snapshotSeq`: of the last record that the snapshot covers, which remembers `decided`. */
  begin(snapshotSeq: number, decided: readonly CarriedOutTransaction[]): void {
    this.snapshotSeq = snapshotSeq;
    this.decided.push(...decided);
  }

  /** To be told of each record behind the snapshot, and of what it did. */
  note(record: JournalRecord<DocumentOp>, result: Applied): void {
    if (this.ownEpoch !== undefined) return;
    const { op } = record;
    if (op.type === 'prepare') this.preparedAt.set(op.transaction, logPositionText(record));
    if (result !== undefined && 'decision' in result) this.decided.push(result);
  }

  /** From this record on the history is this process's own. */
  end(ownEpoch: LogPosition): void {
    this.ownEpoch = ownEpoch;
  }

  /** Oldest first, with those of `remembered` that were decided since. */
  with(remembered: readonly CarriedOutTransaction[]): readonly CarriedOutTransaction[] {
    const { ownEpoch } = this;
    if (ownEpoch === undefined) return this.decided;
    return [...this.decided, ...remembered.filter(({ place }) => parseLogPosition(place).seq > ownEpoch.seq)];
  }

  /** False: certainly no prepare record of this transaction stands at `position` in the history that ends at `end`. */
  mayHavePrepared(transaction: string, position: string, end: LogPosition): boolean {
    const { epoch, seq } = parseLogPosition(position);
    if (!(seq <= end.seq)) return false;
    if (this.ownEpoch !== undefined && seq > this.ownEpoch.seq) return epoch === this.ownEpoch.epoch;
    return seq <= this.snapshotSeq || this.preparedAt.get(transaction) === position;
  }
}
