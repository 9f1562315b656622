import { AppError, parseLogPosition, type LogPosition } from '../../kernel/index.js';
import type { OwnHistory } from './document-history.js';
import { assertPlainNames, type DocumentId, type DocumentOp, type PreparedChange } from './document-op.js';
import type { QueuedWrites } from './queued-writes.js';
import type { CarriedOutTransaction, TransactionOutcome } from './transaction-memory.js';
import { whenSettled } from './when-settled.js';

/** The part of a transaction over several stores that everyone who takes part keeps. */
export interface DocumentTransactionHead {
  readonly id: string;
  /** For people. */
  readonly kind: string;
  /** Of the database whose row decides. */
  readonly decidedBy: string;
  /** Of that database, when the transaction began. */
  readonly life: number;
}

export type PrepareRefusal =
  /** A document that it would create is there. */
  | 'exists'
  /** Another transaction is prepared to create such a document. */
  | 'reserved'
  /** This transaction was told to abort before. */
  | 'aborted';

export type DocumentPrepare =
  | {
      readonly prepared: true;
      /** Of the prepare record, or of the commit record where it was committed before. */
      readonly place: LogPosition;
    }
  | { readonly prepared: false; readonly refusal: PrepareRefusal };

export interface TransactionAcknowledgement {
  /** Of the record of the decision: `<epoch>.<seq>`. */
  readonly place: string;
  readonly outcome: TransactionOutcome;
}

/** Something that stands in the way: at once, or when it is durable. */
export interface Obstacle<Refusal> {
  readonly refusal: Refusal;
  /** Undefined: it is durable. */
  readonly settled: Promise<unknown> | undefined;
}

type Decision = CarriedOutTransaction['decision'];

/** So many ids that were told to abort are known, however late their prepare is called. */
const ABANDONED_KEPT = 10_000;

/**
 * The primary's part in transactions that are decided elsewhere: prepares are judged as writes are, against what is
 * durable and queued; a decision is one more record, which is never refused for want of room while the journal has its
 * reserve.
 *
 * Invariant: a transaction that is prepared in the history has one record of its decision behind it, or none yet.
 */
export class DocumentTransactions {
  private readonly deciding = new Map<string, Promise<unknown>>();
  private readonly abandoned = new Set<string>();

  constructor(
    private readonly history: OwnHistory,
    private readonly queued: QueuedWrites,
  ) {}

  /** As `DocumentStore.prepare`. */
  async prepare(head: DocumentTransactionHead, changes: readonly PreparedChange[]): Promise<DocumentPrepare> {
    this.assertPossible(changes);
    for (;;) {
      const known = this.knownPrepare(head.id);
      if (known !== undefined) return known;
      const settled = this.queued.prepares.settled(head.id);
      const obstacle = settled === undefined ? this.obstacleTo(changes) : undefined;
      if (settled === undefined && obstacle === undefined) return this.append(head, changes);
      if (obstacle !== undefined && obstacle.settled === undefined) {
        return { prepared: false, refusal: obstacle.refusal };
      }
      await whenSettled(settled ?? obstacle?.settled);
    }
  }

  /** As `DocumentStore.commitPrepared`. */
  commit(id: string): Promise<TransactionAcknowledgement | undefined> {
    return this.decide(id, 'committed');
  }

  /** As `DocumentStore.abortPrepared`. */
  abort(id: string): Promise<TransactionAcknowledgement | undefined> {
    this.abandoned.delete(id);
    this.abandoned.add(id);
    for (const oldest of this.abandoned) {
      if (this.abandoned.size <= ABANDONED_KEPT) break;
      this.abandoned.delete(oldest);
    }
    return this.decide(id, 'aborted');
  }

  /** Whether someone has this id to himself, or is about to. */
  reservation(collection: string, id: DocumentId): Obstacle<'reserved'> | undefined {
    const isHeld = this.history.machine.transactions.holderOf(collection, id) !== undefined;
    if (isHeld) return { refusal: 'reserved', settled: undefined };
    const holder = this.queued.prepares.holderOf(collection, id);
    return holder === undefined ? undefined : { refusal: 'reserved', settled: this.queued.prepares.settled(holder) };
  }

  /** Undefined: it is neither prepared here nor decided. */
  private knownPrepare(id: string): DocumentPrepare | undefined {
    const { transactions } = this.history.machine;
    const decided = transactions.findDecided(id);
    if (decided?.decision === 'aborted' || this.abandoned.has(id)) return { prepared: false, refusal: 'aborted' };
    if (decided !== undefined) return { prepared: true, place: parseLogPosition(decided.place) };
    const prepared = transactions.findPrepared(id);
    return prepared && { prepared: true, place: { epoch: prepared.epoch, seq: prepared.seq } };
  }

  /** What can never be carried out must not get into the history. */
  private assertPossible(changes: readonly PreparedChange[]): void {
    for (const change of changes) {
      const { ids } = this.history.machine.collection(change.collection);
      if (change.type !== 'create') continue;
      if (!ids.isId(change.id)) throw new Error(`no id of ${change.collection}: ${String(change.id)}`);
      assertPlainNames(change.fields);
    }
  }

  private obstacleTo(changes: readonly PreparedChange[]): Obstacle<'exists' | 'reserved'> | undefined {
    for (const change of changes) {
      if (change.type !== 'create') continue;
      const { collection, id } = change;
      const pending = this.queued.of(collection);
      const reservation = this.reservation(collection, id);
      if (reservation !== undefined) return reservation;
      if (pending.find(id) !== undefined) return { refusal: 'exists', settled: pending.settled(id) };
    }
    return undefined;
  }

  private async append(
    { id, kind, decidedBy, life }: DocumentTransactionHead,
    changes: readonly PreparedChange[],
  ): Promise<DocumentPrepare> {
    const op: DocumentOp = { type: 'prepare', transaction: id, kind, decidedBy, life, changes };
    const appended = this.history.append(op);
    this.queued.prepares.queue(id, changes, appended);
    for (const change of changes) {
      if (change.type === 'create') this.queued.of(change.collection).use(change.id);
    }
    const { record } = await appended;
    return { prepared: true, place: { epoch: record.epoch, seq: record.seq } };
  }

  /** Concurrent calls append one record. */
  private async decide(id: string, decision: Decision): Promise<TransactionAcknowledgement | undefined> {
    const { transactions } = this.history.machine;
    for (;;) {
      const underWay = this.deciding.get(id);
      const queued = this.queued.prepares.settled(id);
      const isPrepared = transactions.findPrepared(id) !== undefined;
      if (underWay !== undefined) {
        await whenSettled(underWay);
      } else if (isPrepared || (queued !== undefined && decision === 'aborted')) {
        return this.appendDecision(id, decision);
      } else if (queued !== undefined) {
        await whenSettled(queued);
      } else {
        return acknowledgementOf(transactions.findDecided(id), decision);
      }
    }
  }

  /** Behind the prepare record, which may still be queued: the journal keeps the order of the calls. */
  private async appendDecision(id: string, decision: Decision): Promise<TransactionAcknowledgement | undefined> {
    const done = this.history.append({ type: decision === 'committed' ? 'commit' : 'abort', transaction: id }, true);
    this.deciding.set(id, done);
    try {
      const { result } = await done;
      return result !== undefined && 'decision' in result ? acknowledgementOf(result, decision) : undefined;
    } finally {
      this.deciding.delete(id);
    }
  }
}

/** Throws `conflict` where the other decision was carried out: who asks for this one is mistaken. */
function acknowledgementOf(
  decided: CarriedOutTransaction | undefined,
  decision: Decision,
): TransactionAcknowledgement | undefined {
  if (decided === undefined) return undefined;
  if (decided.decision !== decision) {
    throw new AppError('conflict', `transaction ${decided.transaction} was ${decided.decision} at ${decided.place}`, {
      retry: 'never',
    });
  }
  return { place: decided.place, outcome: decided.outcome };
}
