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
import {
  DocumentHistory,
  type DocumentHistoryOptions,
  type HistoryEvents,
  type OwnHistory,
} from './document-history.js';
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
import { whenSettled } from './when-settled.js';

export interface DocumentStorePorts extends JournalPorts {
  readonly random: Random;
}

export type WriteRefusal =
  | 'not-found'
  | 'precondition-failed'
  | 'exists'
  /** A transaction that is not decided yet is going to create the document, or not. */
  | 'reserved';

export type DocumentWrite =
  ({ readonly done: true } & DocumentWritten) | { readonly done: false; readonly refusal: WriteRefusal };

export interface EpochStart {
  /** Higher than that of every record before. */
  readonly epoch: number;
  /** Of a history that has none yet, at random when absent. One that has one keeps it. */
  readonly clusterId?: string;
  /** Random when absent. */
  readonly primaryId?: string;
}

type KeptUnmatched = Pick<UnmatchedTransactions, 'ids' | 'replace'>;

const ID_BYTES = 16;

/**
 * The writing copy: collections of JSON documents in memory, made durable by a journal and shortened by snapshots. It
 * takes no write before its epoch has started. Every write resolves when it is durable and visible; it rejects with
 * `storage-full` or `not-ready` (nothing written) or `outcome-unknown` (the process is stopping).
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

  /** Recovers; appends nothing. Throws as `Journal.open`, naming file and offset. */
  static async open(ports: DocumentStorePorts, options: DocumentHistoryOptions): Promise<DocumentStore> {
    const unmatched = await UnmatchedTransactions.open(ports, options.directory);
    return DocumentStore.over(ports, options, (events) => DocumentHistory.open(ports, options, events), unmatched);
  }

  /** As `open`, over a history that is kept in another way. */
  static async over(
    ports: Pick<DocumentStorePorts, 'random'>,
    options: Pick<DocumentHistoryOptions, 'collections'>,
    openHistory: (eventsOf: (machine: DocumentMachine) => HistoryEvents) => Promise<OwnHistory>,
    unmatched: KeptUnmatched,
  ): Promise<DocumentStore> {
    const listeners = new RecordListeners();
    const queued = new QueuedWrites();
    const earlier = new EarlierTransactions();
    const history = await openHistory((machine) => {
      for (const { name } of options.collections) queued.admit(name, machine.collection(name));
      earlier.begin(machine.appliedPosition.seq, machine.transactions.allDecided());
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

  /** As `Journal.missing`: no epoch can start before it has come back or is settled. */
  get missing(): MissingEnd | undefined {
    return this.own.missing;
  }

  /** As `Journal.settleEnd`. */
  settleEnd(): Promise<void> {
    return this.own.settleEnd();
  }

  /** For whoever copies it. */
  get history(): CopyableHistory {
    return this.own;
  }

  /** As `RecordListeners.add`. */
  onDurable(listener: (records: readonly EncodedRecord[]) => void): () => void {
    return this.listeners.add(listener);
  }

  /**
   * Before the epoch starts: takes over records that another copy of this history has beyond this one. As
   * `Journal.follow`.
   */
  async follow(records: readonly EncodedRecord[]): Promise<void> {
    if (this.isWritable) throw new Error('a primary follows nobody');
    await this.own.follow(records);
  }

  /**
   * Durable and applied when it resolves, with its position; from then on writes are taken. Rejects as `Journal.append`. Where
   * it is not known whether an end is missing, whoever starts an epoch has asked the other copies.
   */
  async startEpoch({ epoch, clusterId, primaryId }: EpochStart): Promise<ChainPosition> {
    if (epoch <= this.position.epoch || this.isWritable) {
      throw new Error(`epoch ${String(epoch)} cannot start behind epoch ${String(this.position.epoch)}`);
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

  /** Under the next whole number. */
  async create(collection: string, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    this.assertWritable();
    if (this.machine.collection(collection).declaration.ids === 'text') {
      throw new Error(`ids of ${collection} are not allotted here`);
    }
    const id = this.queued.of(collection).allotId();
    return this.put(collection, id, fields, operation);
  }

  /** Under an id that the caller chose, unless it is taken when the writes before this one are done. */
  createAt(collection: string, id: DocumentId, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    if (!this.machine.collection(collection).ids.isId(id)) throw new Error(`no id of ${collection}: ${String(id)}`);
    const refusalOf = (current: DocumentView | undefined): WriteRefusal | undefined => current && 'exists';
    return this.whenMet(collection, id, refusalOf, () => this.put(collection, id, fields, operation));
  }

  /** `precondition` judges the document as it will be when the writes before this one are done. */
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
   * Promises to make `changes` when `commitPrepared` is called, and to hold until then what they reserve. The promise is
   * durable here when it resolves; a refusal has left nothing. Again: the same answer. Rejects as every write.
   */
  async prepare(head: TransactionHead, changes: readonly PreparedChange[]): Promise<DocumentPrepare> {
    this.assertWritable();
    return this.transactions.prepare(head, changes);
  }

  /**
   * Makes the changes of a transaction that is prepared; durable and visible when it resolves. Again: the
   * acknowledgement of the first time, for as long as that is remembered. Empty, and nothing done: not prepared here, as
   * far as is known. Rejects with `conflict` when it was aborted, with `storage-full` (safe to repeat) only when the
   * reserve is used up.
   */
  async commitPrepared(id: string): Promise<Acknowledgement> {
    this.assertWritable();
    return this.transactions.decide(id, 'commit');
  }

  /**
   * As `commitPrepared`, but nothing is made, and what was reserved is free. A prepare that is still under way is undone
   * as well, and one that is called later is refused. Rejects with `conflict` when it was committed.
   */
  async abortPrepared(id: string): Promise<Acknowledgement> {
    this.assertWritable();
    return this.transactions.decide(id, 'abort');
  }

  /** Those that wait for their decision, oldest first. */
  prepared(): readonly InDoubt[] {
    return this.machine.transactions.allPrepared().map(inDoubtOf);
  }

  /**
   * Those that were decided, oldest first: all that came to an end behind the snapshot that this process began with and
   * before its own epoch, and the ones that snapshot and process remember.
   */
  carriedOut(): readonly CarriedOut[] {
    return this.earlier.with(this.machine.transactions.allDecided()).map(carriedOutOf);
  }

  /**
   * The transactions whose decision may have been in a database that is lost: a recovery from replicas has named them.
   * To be left to a person, however they look. Sorted.
   */
  unmatched(): readonly string[] {
    return this.unsettled.ids;
  }

  /** These are not unmatched any more; durable when it resolves. One at a time. Rejects with `storage-full`: all are. */
  async settleUnmatched(ids: readonly string[]): Promise<void> {
    const left = this.unmatched().filter((id) => !ids.includes(id));
    if (left.length < this.unmatched().length) await this.unsettled.replace(left);
  }

  /** Whether no later start from the files as they are now will tell, in `carriedOut`, of the decision at this place. */
  hasForgotten(position: string): boolean {
    return parseLogPosition(position).seq < this.own.firstToldSeq;
  }

  /** False: certainly no promise of this transaction stands, or stood, at this place of the history, `<epoch>.<seq>`. */
  mayHavePrepared(id: string, position: string): boolean {
    return this.earlier.mayHavePrepared(id, position, this.position);
  }

  /** Writes out what is queued, takes a last snapshot for a quick next start, closes. No write may follow. */
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
    if (result === undefined || !('change' in result)) throw new Error('a document write has an outcome');
    return { done: true, outcome: result, commit: logPositionText(record) };
  }

  /**
   * Judges and queues in one step, so that nothing comes between. A refusal that rests on a write which is not durable
   * yet is not given before that write is: should it find no room, the question is asked again.
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
    throw new AppError('not-ready', 'the documents take no writes yet', { retry: 'safe', retryAfterSeconds: 1 });
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
