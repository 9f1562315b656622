import {
  type Acknowledgement,
  AppError,
  type CarriedOut,
  type InDoubt,
  type TransactionHead,
  type OperationStamp,
  parseLogPosition,
  type Random,
  type EncodedRecord,
  type ChainPosition,
  type CopyableHistory,
  logPositionText,
} from '../../kernel/index.js';
import type { JournalPorts, MissingEnd } from '../journal/index.js';
import { DocumentHistory, type DocumentHistoryOptions, type EventsOf, type OwnHistory } from './document-history.js';
import { type DocumentMachine, show } from './document-machine.js';
import {
  assertPlainNames,
  type DocumentId,
  type DocumentOp,
  type Fields,
  type PreparedChange,
  type DocumentView,
  type DocumentWritten,
} from './document-op.js';
import { DocumentReads } from './document-reads.js';
import { type DocumentPrepare, DocumentTransactions } from './document-transactions.js';
import { EarlierTransactions } from './earlier-transactions.js';
import { QueuedWrites } from './queued-writes.js';
import { RecordListeners } from './record-listeners.js';
import { carriedOutOf, inDoubtOf } from './transaction-memory.js';
import { UnmatchedTransactions } from './unmatched-transactions.js';
import type { DocumentsAhead } from './warm-documents.js';
import { whenSettled } from './when-settled.js';

export interface DocumentStorePorts extends JournalPorts {
  readonly random: Random;
}

export type WriteRefusal =
  | 'not-found'
  | 'precondition-failed'
  | 'exists'
  /** An undecided transaction may create the document. */
  | 'reserved';

export type DocumentWrite =
  ({ readonly done: true } & DocumentWritten) | { readonly done: false; readonly refusal: WriteRefusal };

export interface EpochStart {
  /** Must be higher than the epoch of every earlier record. */
  readonly epoch: number;
  /** Applies only to a history that has no cluster id yet; random when absent. */
  readonly clusterId?: string;
  /** Random when absent. */
  readonly primaryId?: string;
}

type KeptUnmatched = Pick<UnmatchedTransactions, 'ids' | 'replace'>;

const ID_BYTES = 16;

/**
 * The writing copy: collections of JSON documents in memory, made durable by a journal and shortened by snapshots. It takes
 * writes once its epoch has started. Every write resolves when it is durable and visible; it rejects with `storage-full` or
 * `not-ready` (nothing written) or `outcome-unknown` (the process is stopping).
 */
export class DocumentStore extends DocumentReads {
  private readonly transactions: DocumentTransactions;
  private isWritable = false;

  private constructor(
    private readonly ports: Pick<DocumentStorePorts, 'random'>,
    private readonly own: OwnHistory,
    private readonly queued: QueuedWrites,
    private readonly listeners: RecordListeners,
    private readonly earlier: EarlierTransactions,
    private readonly unsettled: KeptUnmatched,
  ) {
    super();
    this.transactions = new DocumentTransactions(own, queued);
  }

  /** Recovers and appends nothing. Throws like `DocumentHistory.open`. */
  static async open(
    ports: DocumentStorePorts,
    options: DocumentHistoryOptions,
    ahead?: DocumentsAhead,
  ): Promise<DocumentStore> {
    const unmatched = await UnmatchedTransactions.open(ports, options.directory);
    return DocumentStore.over(
      ports,
      options,
      (events) => DocumentHistory.open(ports, options, events, ahead),
      unmatched,
    );
  }

  /** Same as `open`, over a history that is kept in another way. */
  static async over(
    ports: Pick<DocumentStorePorts, 'random'>,
    options: Pick<DocumentHistoryOptions, 'collections'>,
    openHistory: (eventsOf: EventsOf) => Promise<OwnHistory>,
    unmatched: KeptUnmatched,
  ): Promise<DocumentStore> {
    const listeners = new RecordListeners();
    const queued = new QueuedWrites();
    let earlier = new EarlierTransactions();
    const history = await openHistory((machine, known) => {
      for (const { name } of options.collections) queued.admit(name, machine.collection(name));
      earlier = known ?? EarlierTransactions.of(machine);
      return {
        applied: (record, result) => {
          queued.applied(record.op);
          earlier.note(record, result);
        },
        rolledBack: () => {
          queued.rollBack();
        },
        durable: (records) => {
          listeners.notify(records);
        },
      };
    });
    return new DocumentStore(ports, history, queued, listeners, earlier, unmatched);
  }

  get position(): ChainPosition {
    return this.own.position;
  }

  /** Same as `Journal.missing`. No epoch can start until the missing end has returned or is settled. */
  get missing(): MissingEnd | undefined {
    return this.own.missing;
  }

  settleEnd(): Promise<void> {
    return this.own.settleEnd();
  }

  get history(): CopyableHistory {
    return this.own;
  }

  /** Same as `RecordListeners.add`. */
  onDurable(listener: (records: readonly EncodedRecord[]) => void): () => void {
    return this.listeners.add(listener);
  }

  /** Takes over another copy's newer records before the epoch starts. Same as `Journal.follow`. */
  async follow(records: readonly EncodedRecord[]): Promise<void> {
    if (this.isWritable) throw new Error('a primary cannot follow another primary');
    await this.own.follow(records);
  }

  /**
   * Durable and applied when it resolves with its position; writes are then allowed. Rejects like `Journal.append`. If it is
   * unknown whether an end is missing, the caller must have asked the other copies.
   */
  async startEpoch({ epoch, clusterId, primaryId }: EpochStart): Promise<ChainPosition> {
    if (epoch <= this.position.epoch || this.isWritable) {
      throw new Error(`epoch ${String(epoch)} cannot start after epoch ${String(this.position.epoch)}`);
    }
    if (this.own.missing && this.own.missing.expected === undefined) await this.own.settleEnd();
    this.own.beginEpoch(epoch);
    const { record } = await this.own.append(
      {
        type: 'epoch-started',
        clusterId: this.own.clusterId ?? clusterId ?? this.newId(),
        primaryId: primaryId ?? this.newId(),
        retention: 2,
      },
      true,
    );
    this.isWritable = true;
    this.earlier.end(record);
    return { epoch: record.epoch, seq: record.seq, hash: record.hash };
  }

  protected get machine(): DocumentMachine {
    return this.own.machine;
  }

  /** Uses the next whole number as the id. */
  async create(collection: string, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    this.assertWritable();
    if (this.machine.collection(collection).declaration.ids === 'text') {
      throw new Error(`the caller chooses the ids of ${collection}`);
    }
    const id = this.queued.of(collection).allotId();
    return this.put(collection, id, fields, operation);
  }

  /** Uses the caller's id unless it is taken once all earlier writes are done. */
  createAt(collection: string, id: DocumentId, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    if (!this.machine.collection(collection).ids.isId(id))
      throw new Error(`invalid id of ${collection}: ${String(id)}`);
    const refusalOf = (current: DocumentView | undefined): WriteRefusal | undefined => current && 'exists';
    return this.whenMet(collection, id, refusalOf, () => this.put(collection, id, fields, operation));
  }

  /** `precondition` judges the document as it will be when all earlier writes are done. */
  replace(
    collection: string,
    id: DocumentId,
    fields: Fields,
    operation: OperationStamp,
    precondition?: (current: DocumentView) => boolean,
  ): Promise<DocumentWrite> {
    return this.whenMet(collection, id, refusalUnless(precondition), () => this.put(collection, id, fields, operation));
  }

  delete(
    collection: string,
    id: DocumentId,
    operation: OperationStamp,
    precondition?: (current: DocumentView) => boolean,
  ): Promise<DocumentWrite> {
    return this.whenMet(collection, id, refusalUnless(precondition), () =>
      this.submit({ type: 'delete', collection, id, operation }, undefined),
    );
  }

  /**
   * Promises to make `changes` on `commitPrepared` and reserves what they need until then. The promise is durable when it
   * resolves; a refusal leaves nothing behind. A repeated call gives the same answer. Rejects like every write.
   */
  async prepare(head: TransactionHead, changes: readonly PreparedChange[]): Promise<DocumentPrepare> {
    this.assertWritable();
    return this.transactions.prepare(head, changes);
  }

  /**
   * Makes the changes of a prepared transaction; durable and visible when it resolves. A repeated call returns the first
   * acknowledgement while it is remembered. The acknowledgement is empty, and nothing is done, when the transaction is not known
   * to be prepared here. Rejects with `conflict` when it was aborted, and with `storage-full` (safe to repeat) only when the
   * reserve is used up.
   */
  async commitPrepared(id: string): Promise<Acknowledgement> {
    this.assertWritable();
    return this.transactions.decide(id, 'commit');
  }

  /**
   * Same as `commitPrepared`, but frees the reservations and changes nothing. It also undoes a prepare in progress, and later
   * prepares are refused. Rejects with `conflict` when the transaction was committed.
   */
  async abortPrepared(id: string): Promise<Acknowledgement> {
    this.assertWritable();
    return this.transactions.decide(id, 'abort');
  }

  /** In-doubt transactions, oldest first. */
  prepared(): readonly InDoubt[] {
    return this.machine.transactions.allPrepared().map(inDoubtOf);
  }

  /** Decided transactions, oldest first: those after the opening snapshot and before this process's epoch, and all remembered. */
  carriedOut(): readonly CarriedOut[] {
    return this.earlier.with(this.machine.transactions.allDecided()).map(carriedOutOf);
  }

  /** Transactions, sorted, whose decision may have been in a database that is lost. Only a person may decide them. */
  unmatched(): readonly string[] {
    return this.unsettled.ids;
  }

  /** Removes `ids` from the unmatched; durable when it resolves. One call at a time. On `storage-full` nothing changes. */
  async settleUnmatched(ids: readonly string[]): Promise<void> {
    const left = this.unmatched().filter((id) => !ids.includes(id));
    if (left.length < this.unmatched().length) await this.unsettled.replace(left);
  }

  /** Whether no later start from the files as they are will report, in `carriedOut`, the decision at this log position. */
  hasForgotten(position: string): boolean {
    return parseLogPosition(position).seq < this.own.firstToldSeq;
  }

  /** False: this transaction certainly never had a promise at this log position, `<epoch>.<seq>`. */
  mayHavePrepared(id: string, position: string): boolean {
    return this.earlier.mayHavePrepared(id, position, this.position);
  }

  /** Writes the queued records, takes a last snapshot if it makes the next start faster, and closes. No write may follow. */
  close(): Promise<void> {
    return this.own.close();
  }

  private put(collection: string, id: DocumentId, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    assertPlainNames(fields);
    const state = this.machine.collection(collection);
    const counterBase = this.queued.of(collection).find(id)?.counterBase ?? 0 - state.counter;
    return this.submit({ type: 'put', collection, id, fields, operation }, { fields, counterBase });
  }

  private async submit(
    op: Extract<DocumentOp, { type: 'put' | 'delete' }>,
    document: { fields: Fields; counterBase: number } | undefined,
  ): Promise<DocumentWrite> {
    const appended = this.own.append(op);
    this.queued.of(op.collection).queue(op.id, document, appended);
    const { record, result } = await appended;
    if (result === undefined || !('change' in result)) throw new Error('a document write needs an outcome');
    return { done: true, outcome: result, commit: logPositionText(record) };
  }

  /**
   * Judges and queues in one step so that nothing comes between. A refusal that depends on a queued write waits until that write
   * is durable; if the write fails for lack of room, the judgement is repeated.
   */
  private async whenMet(
    collection: string,
    id: DocumentId,
    refusalOf: (current: DocumentView | undefined) => WriteRefusal | undefined,
    write: () => Promise<DocumentWrite>,
  ): Promise<DocumentWrite> {
    this.assertWritable();
    const state = this.machine.collection(collection);
    const pending = this.queued.of(collection);
    for (;;) {
      const reservation = this.transactions.reservation(collection, id);
      const document = pending.find(id);
      const refusal =
        reservation?.refusal ?? refusalOf(document && show(state.declaration, id, document, state.counter));
      if (refusal === undefined) return write();
      const settled = reservation ? reservation.settled : pending.settled(id);
      if (settled === undefined) return { done: false, refusal };
      await whenSettled(settled);
    }
  }

  private assertWritable(): void {
    if (this.isWritable) return;
    throw new AppError('not-ready', 'the documents accept no writes yet', { retry: 'safe', retryAfterSeconds: 1 });
  }

  private newId(): string {
    return Buffer.from(this.ports.random.bytes(ID_BYTES)).toString('hex');
  }
}

function refusalUnless(
  precondition: ((current: DocumentView) => boolean) | undefined,
): (current: DocumentView | undefined) => WriteRefusal | undefined {
  return (current) => {
    if (current === undefined) return 'not-found';
    return (precondition?.(current) ?? true) ? undefined : 'precondition-failed';
  };
}
