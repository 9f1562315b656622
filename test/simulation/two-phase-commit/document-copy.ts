import type { Applied, DocumentMachine, DocumentsSnapshot } from '../../../src/platform/documents/document-machine.js';
import type { DocumentOp } from '../../../src/platform/documents/index.js';
import type { JournalRecord } from '../../../src/platform/journal/index.js';
import type { SimulatedRecord, SimulatedStore } from '../replication/simulated-store.js';

/** The operations behind the numbers of simulated records, and all snapshots, by their last record's hash. */
export interface Contents {
  recordOf(record: SimulatedRecord): JournalRecord<DocumentOp>;
  snapshotAt(hash: string): DocumentsSnapshot;
  newMachine(): DocumentMachine;
}

export type AppliedWatcher = (record: JournalRecord<DocumentOp>, result: Applied) => void;

/** The real state machine of documents in one process, over a simulated directory. */
export class DocumentCopy {
  machine: DocumentMachine;

  constructor(
    private readonly contents: Contents,
    private readonly applied: AppliedWatcher = () => undefined,
  ) {
    this.machine = contents.newMachine();
  }

  get seq(): number {
    return this.machine.appliedPosition.seq;
  }

  /** Restarts from the snapshot, without the records after it. */
  restart(store: SimulatedStore): void {
    this.machine = this.contents.newMachine();
    if (store.snapshotSeq === 0) return;
    this.machine.restore(this.contents.snapshotAt(store.positionAt(store.snapshotSeq).hash));
  }

  /** Applies the durable records up to `endSeq`. */
  catchUp(store: SimulatedStore, endSeq = store.durable): void {
    for (let seq = this.seq + 1; seq <= endSeq; seq += 1) {
      const record = this.contents.recordOf(store.log[seq - 1]!);
      this.applied(record, this.machine.apply(record));
    }
  }
}
