import { parseLogPosition, type LogPosition, logPositionText } from '../../kernel/index.js';
import type { JournalRecord } from '../journal/index.js';
import type { Applied, DocumentMachine } from './document-machine.js';
import type { DocumentOp } from './document-op.js';
import type { CarriedOutTransaction } from './transaction-memory.js';

/**
 * The transactions that a history shows when it is opened: those of its snapshot and of every record up to this process's
 * first.
 *
 * It is kept for the whole incarnation because a person may ask late about a transaction that has no row. It does not grow
 * meanwhile: it has one entry per decision in the snapshot, and one or two per transaction between the snapshot and this
 * incarnation, at most as many as `snapshotEveryBytes` of journal hold unless no snapshot could be written. The entries take
 * about as much memory as their records.
 */
export class EarlierTransactions {
  private readonly decided: CarriedOutTransaction[] = [];
  private readonly preparedAt = new Map<string, string>();
  private snapshotSeq = 0;
  private ownEpoch: LogPosition | undefined;

  /** From a snapshot of the machine as it is now. */
  static of({ appliedPosition, transactions }: DocumentMachine): EarlierTransactions {
    const earlier = new EarlierTransactions();
    earlier.begin(appliedPosition.seq, transactions.allDecided());
    return earlier;
  }

  /** `snapshotSeq` is the last record that the snapshot covers; the snapshot remembers `decided`. */
  begin(snapshotSeq: number, decided: readonly CarriedOutTransaction[]): void {
    this.snapshotSeq = snapshotSeq;
    this.decided.push(...decided);
  }

  /** Must be called for each record after the snapshot, with its result. */
  note(record: JournalRecord<DocumentOp>, result: Applied): void {
    if (this.ownEpoch !== undefined) return;
    const { op } = record;
    if (op.type === 'prepare') this.preparedAt.set(op.transaction, logPositionText(record));
    if (result !== undefined && 'decision' in result) this.decided.push(result);
  }

  /** This process writes the history from this record on. */
  end(ownEpoch: LogPosition): void {
    this.ownEpoch = ownEpoch;
  }

  /** Oldest first, including those of `remembered` that were decided since. */
  with(remembered: readonly CarriedOutTransaction[]): readonly CarriedOutTransaction[] {
    const { ownEpoch } = this;
    if (ownEpoch === undefined) return this.decided;
    return [...this.decided, ...remembered.filter(({ place }) => parseLogPosition(place).seq > ownEpoch.seq)];
  }

  /** False: the history that ends at `end` certainly has no prepare record of this transaction at `position`. */
  mayHavePrepared(transaction: string, position: string, end: LogPosition): boolean {
    const { epoch, seq } = parseLogPosition(position);
    if (!(seq <= end.seq)) return false;
    if (this.ownEpoch !== undefined && seq > this.ownEpoch.seq) return epoch === this.ownEpoch.epoch;
    return seq <= this.snapshotSeq || this.preparedAt.get(transaction) === position;
  }
}
