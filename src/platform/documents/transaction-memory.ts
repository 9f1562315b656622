import { type Acknowledgement, type CarriedOut, type InDoubt, logPositionText } from '../../kernel/index.js';
import type { DocumentId, PreparedChange } from './document-op.js';
import { Reservations } from './reservations.js';
import { type Retention, RetentionQueue } from './retention-queue.js';

/** The constant part of a transaction over several stores, with the names that a snapshot uses. */
interface TransactionOrigin {
  readonly transaction: string;
  readonly kind: string;
  /** The database whose row decides. */
  readonly decidedBy: string;
  /** The incarnation of that database in which the transaction began. */
  readonly life: number;
}

export interface PreparedTransaction extends TransactionOrigin {
  readonly changes: readonly PreparedChange[];
  /** The time of the prepare record; `epoch` and `seq` are its log position. */
  readonly at: number;
  readonly epoch: number;
  readonly seq: number;
}

/** Known only from the commit itself. */
export type TransactionOutcome = {
  /** By collection: the number of documents that a bump has reached. */
  readonly bumped: Readonly<Record<string, number>>;
};

/** A decided transaction whose changes are made or discarded. */
export interface CarriedOutTransaction extends TransactionOrigin {
  readonly decision: 'committed' | 'aborted';
  /** The time of the decision's record; `place` is its log position, `<epoch>.<seq>`. */
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
 * The prepared transactions with their reservations, and those decided lately, so that a repeated decision gets the same answer.
 * They are replicated state: only the records decide what is forgotten and when.
 */
export class TransactionMemory {
  private readonly open = new Map<string, PreparedTransaction>();
  private readonly reservations = new Reservations();
  private readonly decisions = new RetentionQueue<CarriedOutTransaction>();
  private readonly decisionById = new Map<string, CarriedOutTransaction>();

  /** No effect when the transaction is already prepared or known to be decided. */
  prepare(prepared: PreparedTransaction): void {
    const { transaction, changes } = prepared;
    if (this.open.has(transaction) || this.decisionById.has(transaction)) return;
    this.open.set(transaction, prepared);
    this.reservations.reserve(transaction, changes);
  }

  /** Removes the transaction from the prepared ones; undefined when it was not prepared. */
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

  /** Undefined when the transaction is not decided or its decision is forgotten. */
  findDecided(transaction: string): CarriedOutTransaction | undefined {
    return this.decisionById.get(transaction);
  }

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
