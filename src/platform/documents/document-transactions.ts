import {
  type Acknowledgement,
  AppError,
  decideParticipant,
  type LogPosition,
  parseLogPosition,
  type ParticipantState,
  type TransactionHead,
} from '../../kernel/index.js';
import type { OwnHistory } from './document-history.js';
import { assertPlainNames, type DocumentId, type DocumentOp, type PreparedChange } from './document-op.js';
import type { QueuedWrites } from './queued-writes.js';
import { acknowledgementOf } from './transaction-memory.js';
import { whenSettled } from './when-settled.js';

export type PrepareRefusal =
  /** A document that it would create exists. */
  | 'exists'
  /** Another transaction is prepared to create the document. */
  | 'reserved'
  /** This transaction was aborted before. */
  | 'aborted';

export type DocumentPrepare =
  | {
      readonly prepared: true;
      /** The log position of the prepare record, or of the commit record if it was committed before. */
      readonly position: LogPosition;
    }
  | { readonly prepared: false; readonly refusal: PrepareRefusal };

/** A reason to refuse an operation, which counts now or once it is durable. */
export interface Obstacle<Refusal> {
  readonly refusal: Refusal;
  /** Undefined when the obstacle is durable. */
  readonly settled: Promise<unknown> | undefined;
}

/** The number of aborted transactions to remember in case their prepare arrives late. */
const ABANDONED_KEPT = 10_000;

/**
 * The primary's part in transactions that are decided elsewhere: `decideParticipant` says what each message does. Prepares are
 * judged like writes, against durable and queued state. A decision is one record, which always finds room while the journal has
 * its reserve.
 *
 * Invariant: a transaction that is prepared in the history is followed by one record of its decision, or by none yet.
 */
export class DocumentTransactions {
  private readonly deciding = new Map<string, Promise<unknown>>();
  private readonly abandoned = new Set<string>();

  constructor(
    private readonly history: OwnHistory,
    private readonly queued: QueuedWrites,
  ) {}

  async prepare(head: TransactionHead, changes: readonly PreparedChange[]): Promise<DocumentPrepare> {
    this.assertPossible(changes);
    for (;;) {
      const underWay = this.deciding.get(head.id) ?? this.queued.prepares.settled(head.id);
      if (underWay === undefined) {
        const { keep, answer } = decideParticipant(this.stateOf(head.id), 'prepare');
        if (answer !== 'yes') return { prepared: false, refusal: 'aborted' };
        if (keep !== 'promise') return { prepared: true, position: this.promisePosition(head.id) };
        const obstacle = this.obstacleTo(changes);
        if (obstacle === undefined) return this.append(head, changes);
        if (obstacle.settled === undefined) return { prepared: false, refusal: obstacle.refusal };
        await whenSettled(obstacle.settled);
      } else {
        await whenSettled(underWay);
      }
    }
  }

  /**
   * Concurrent calls append one record. An abort need not wait for a queued prepare: the journal keeps the order of the calls.
   */
  async decide(id: string, message: 'commit' | 'abort'): Promise<Acknowledgement> {
    for (;;) {
      const queued = message === 'commit' ? this.queued.prepares.settled(id) : undefined;
      const underWay = this.deciding.get(id) ?? queued;
      if (underWay === undefined) {
        const { keep, answer } = decideParticipant(this.stateOf(id), message);
        if (answer === 'contradiction') throw this.contradiction(id);
        if (keep === 'tombstone' || keep === 'abort') this.abandon(id);
        if (keep === 'commit' || keep === 'abort') return this.appendDecision(id, keep);
        const decided = this.history.machine.transactions.findDecided(id);
        return decided === undefined ? {} : acknowledgementOf(decided);
      }
      await whenSettled(underWay);
    }
  }

  /** Whether another transaction holds the id, or has a queued prepare that will reserve it. */
  reservation(collection: string, id: DocumentId): Obstacle<'reserved'> | undefined {
    const isHeld = this.history.machine.transactions.holderOf(collection, id) !== undefined;
    if (isHeld) return { refusal: 'reserved', settled: undefined };
    const holder = this.queued.prepares.holderOf(collection, id);
    return holder === undefined ? undefined : { refusal: 'reserved', settled: this.queued.prepares.settled(holder) };
  }

  /** A queued prepare counts as prepared, and an abort counts even without an earlier prepare. */
  private stateOf(id: string): ParticipantState {
    const { transactions } = this.history.machine;
    const decided = transactions.findDecided(id);
    if (decided !== undefined) return decided.decision;
    if (transactions.findPrepared(id) !== undefined || this.queued.prepares.settled(id) !== undefined)
      return 'prepared';
    return this.abandoned.has(id) ? 'aborted' : 'unknown';
  }

  private promisePosition(id: string): LogPosition {
    const { transactions } = this.history.machine;
    const { epoch, seq } = transactions.findPrepared(id) ?? parseLogPosition(transactions.findDecided(id)?.place ?? '');
    return { epoch, seq };
  }

  private abandon(id: string): void {
    this.abandoned.delete(id);
    this.abandoned.add(id);
    for (const oldest of this.abandoned) {
      if (this.abandoned.size <= ABANDONED_KEPT) break;
      this.abandoned.delete(oldest);
    }
  }

  /** A change that can never be carried out must not enter the history. */
  private assertPossible(changes: readonly PreparedChange[]): void {
    for (const change of changes) {
      const { ids } = this.history.machine.collection(change.collection);
      if (change.type !== 'create') continue;
      if (!ids.isId(change.id)) throw new Error(`invalid id of ${change.collection}: ${String(change.id)}`);
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
    { id, kind, decidedBy, incarnation }: TransactionHead,
    changes: readonly PreparedChange[],
  ): Promise<DocumentPrepare> {
    const op: DocumentOp = { type: 'prepare', transaction: id, kind, decidedBy, life: incarnation, changes };
    const appended = this.history.append(op);
    this.queued.prepares.queue(id, changes, appended);
    for (const change of changes) {
      if (change.type === 'create') this.queued.of(change.collection).use(change.id);
    }
    const { record } = await appended;
    return { prepared: true, position: { epoch: record.epoch, seq: record.seq } };
  }

  private async appendDecision(id: string, type: 'commit' | 'abort'): Promise<Acknowledgement> {
    const done = this.history.append({ type, transaction: id }, true);
    this.deciding.set(id, done);
    try {
      const { result } = await done;
      return result !== undefined && 'decision' in result ? acknowledgementOf(result) : {};
    } finally {
      this.deciding.delete(id);
    }
  }

  private contradiction(id: string): AppError {
    const decided = this.history.machine.transactions.findDecided(id);
    const message = decided ? `was ${decided.decision} at ${decided.place}` : 'was aborted';
    return new AppError('conflict', `Transaction ${id} ${message}.`, { retry: 'never' });
  }
}
