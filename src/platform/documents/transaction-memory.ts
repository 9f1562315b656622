import { type Acknowledgement, type CarriedOut, type InDoubt, logPositionText } from '../../kernel/index.js';
import type { DocumentId, PreparedChange } from './document-op.js';
import { Reservations } from './reservations.js';
import { type Retention, RetentionQueue } from './retention-queue.js';

/** The part of a transaction over several stores that does not change, by the names that it has in a snapshot. */
interface TransactionOrigin {
  readonly transaction: string;
  readonly kind: string;
  /** Of the database whose row decides. */
  readonly decidedBy: string;
  /** The incarnation of that database in which the transaction began. */
  readonly life: number;
}

/** Promised and not decided. */
export interface PreparedTransaction extends TransactionOrigin {
  readonly changes: readonly PreparedChange[];
  /** Of the prepare record: its time, and its log position. */
  readonly at: number;
  readonly epoch: number;
  readonly seq: number;
}

/** What only the commit itself could tell. */
export type TransactionOutcome = {
  /** By collection: how many documents a bump has reached. */
  readonly bumped: Readonly<Record<string, number>>;
};

/** Decided, and done or forgotten here. */
export interface CarriedOutTransaction extends TransactionOrigin {
  readonly decision: 'committed' | 'aborted';
  /** Of the decision's record: its time, and its log position, `<epoch>.<seq>`. */
  readonly at: number;
  readonly place: string;
  readonly outcome: TransactionOutcome;
}

export function inDoubtOf({ transaction: id, life: incarnation, ...prepared }: PreparedTransaction): InDoubt {
  const { kind, decidedBy, at: preparedAtMs } = prepared;
  return { id, kind, decidedBy, incarnation, preparedAtMs, position: logPositionText(prepared) };
}

export function carriedOutOf({ transaction: id, life: incarnation, ...decided }: CarriedOutTransaction): CarriedOut {
  const { kind, decidedBy, decision } = decided;
  return { id, kind, decidedBy, incarnation, decision };
}

export function acknowledgementOf({ place: position, outcome }: CarriedOutTransaction): Acknowledgement {
  return { position, outcome };
}

const DECISIONS: Retention = { ms: 600_000, count: 2_000 };

/**
 * The transactions that are prepared, with what they reserve, and those that were decided lately, so that who is told a
 * decision twice gets the same answer. Part of the replicated state: what is forgotten, and when, follows from the
 * records alone.
 */
export class TransactionMemory {
  private readonly open = new Map<string, PreparedTransaction>();
  private readonly reservations = new Reservations();
  private readonly decisions = new RetentionQueue<CarriedOutTransaction>();
  private readonly decisionById = new Map<string, CarriedOutTransaction>();

  /** Without effect when it is prepared already, or known to be decided. */
  prepare(prepared: PreparedTransaction): void {
    const { transaction, changes } = prepared;
    if (this.open.has(transaction) || this.decisionById.has(transaction)) return;
    this.open.set(transaction, prepared);
    this.reservations.reserve(transaction, changes);
  }

  /** Not prepared any more from now on; undefined when it was not. */
  take(transaction: string): PreparedTransaction | undefined {
    const prepared = this.open.get(transaction);
    if (prepared === undefined) return undefined;
    this.open.delete(transaction);
    this.reservations.release(prepared.changes);
    return prepared;
  }

  remember(decided: CarriedOutTransaction): void {
    this.decisionById.set(decided.transaction, decided);
    this.decisions.add(decided);
    this.decisions.expire(decided.at, DECISIONS, ({ transaction }) => this.decisionById.delete(transaction));
  }

  findPrepared(transaction: string): PreparedTransaction | undefined {
    return this.open.get(transaction);
  }

  /** Undefined: not decided, or forgotten since. */
  findDecided(transaction: string): CarriedOutTransaction | undefined {
    return this.decisionById.get(transaction);
  }

  /** The transaction that is prepared to create this document. */
  holderOf(collection: string, id: DocumentId): string | undefined {
    return this.reservations.holderOf(collection, id);
  }

  /** Oldest first. */
  allPrepared(): PreparedTransaction[] {
    return [...this.open.values()];
  }

  /** Oldest first. */
  allDecided(): CarriedOutTransaction[] {
    return this.decisions.all();
  }
}
