import type { BranchState } from '../core/coordinator.js';
import type { TransactionState } from '../core/states.js';
import type { Participant, Acknowledgement, TransactionHead, TransactionId, Vote } from '../ports.js';

/** One participant's part of a transaction. */
export interface Branch {
  readonly participant: Participant<never>;
  readonly prepare: (head: TransactionHead) => Promise<Vote>;
}

export function branch<Work>(participant: Participant<Work>, work: Work): Branch {
  return { participant, prepare: (head) => participant.prepare(head, work) };
}

export interface TransactionRequest<Work> {
  /** For people: `books-2pc`. */
  readonly kind: string;
  /** The write that this transaction is. */
  readonly operationId?: string;
  /** At most one per participant. */
  readonly branches: readonly Branch[];
  /** What the last resource commits with the decision. */
  readonly decide: Work;
}

export type TransactionOutcome<Result> =
  | {
      readonly state: 'committed';
      readonly id: TransactionId;
      readonly result: Result;
      /** By participant. */
      readonly acknowledgements: Readonly<Record<string, Acknowledgement>>;
    }
  /** Committed, and certain to be told to all; not all have been told yet. */
  | { readonly state: 'untold'; readonly id: TransactionId; readonly result: Result }
  /** Not decided within the deadline; the decision still comes. */
  | {
      readonly state: 'running';
      readonly id: TransactionId;
      /** Settles, and never rejects, when it is decided and carried out, or left to recovery. */
      readonly ended: Promise<void>;
    };

export type PhaseName =
  /** Asked of a participant, and what it said. */
  | 'prepare'
  | 'promised'
  | 'refused'
  | 'uncertain'
  | 'overdue'
  /** Asked of the last resource: to commit, or to write that it is aborted. */
  | 'decide'
  | 'veto'
  /** What its row says, and what may be said without one. */
  | 'committed'
  | 'aborted'
  | 'not-written'
  | 'outcome-unknown'
  /** Carried out by a participant, or not. */
  | 'told'
  | 'untold'
  | 'completed'
  /** Of recovery and operators. */
  | 'found-in-doubt'
  | 'unmatched'
  | 'resolved';

export interface TransactionPhase {
  readonly phase: PhaseName;
  /** Milliseconds since the Unix epoch, for people. */
  readonly atMs: number;
  readonly participant?: string;
  readonly detail?: string;
}

/** A transaction of this incarnation of the process, as people see it. */
export interface TransactionView {
  readonly id: TransactionId;
  readonly kind: string;
  readonly state: TransactionState;
  readonly participants: readonly Pick<BranchState, 'name' | 'state'>[];
  /** In order of time. */
  readonly history: readonly TransactionPhase[];
  readonly operationId?: string;
  /** Why it was aborted, or decided by a person. */
  readonly reason?: string;
}

export interface RecoveryReport {
  /** What was found in doubt, or not carried out, and is carried out now. */
  readonly committed: readonly TransactionId[];
  readonly aborted: readonly TransactionId[];
  /** Left to a person. */
  readonly unmatched: readonly TransactionId[];
  /** Left to the next recovery. */
  readonly failed: readonly { readonly id: TransactionId; readonly error: string }[];
}
