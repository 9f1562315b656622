import type { BranchState } from '../core/coordinator.js';
import type { TransactionState } from '../core/states.js';
import type { Participant, Acknowledgement, TransactionHead, TransactionId, Vote } from '../ports.js';

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
  readonly operationId?: string;
  /** At most one per participant. */
  readonly branches: readonly Branch[];
  /** The work that the last resource commits with the decision. */
  readonly decide: Work;
}

export type TransactionOutcome<Result> =
  | {
      readonly state: 'committed';
      readonly id: TransactionId;
      readonly result: Result;
      readonly acknowledgements: Readonly<Record<string, Acknowledgement>>;
    }
  /** Committed, and certain to reach all participants; not all have been notified yet. */
  | { readonly state: 'pending'; readonly id: TransactionId; readonly result: Result }
  /** Not decided within the deadline; the decision still comes. */
  | {
      readonly state: 'running';
      readonly id: TransactionId;
      /** Never rejects. Resolves when the transaction is decided and carried out, or left to recovery. */
      readonly ended: Promise<void>;
    };

export type PhaseName =
  /** The coordinator asks a participant, which answers. */
  | 'prepare'
  | 'promised'
  | 'refused'
  | 'uncertain'
  | 'overdue'
  /** The coordinator asks the last resource to commit, or to write `aborted`. */
  | 'decide'
  | 'veto'
  /** The decision of the row, or a certain outcome without a row. */
  | 'committed'
  | 'aborted'
  | 'not-written'
  | 'outcome-unknown'
  /** A participant has carried out the decision, or could not be notified. These names are on the wire. */
  | 'told'
  | 'untold'
  | 'completed'
  /** Recovery and operators. */
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
  readonly history: readonly TransactionPhase[];
  readonly operationId?: string;
  /** Why it was aborted, or why a person decided it. */
  readonly reason?: string;
}

export interface RecoveryReport {
  /** Transactions that this recovery has carried out. */
  readonly committed: readonly TransactionId[];
  readonly aborted: readonly TransactionId[];
  readonly unmatched: readonly TransactionId[];
  readonly failed: readonly { readonly id: TransactionId; readonly error: string }[];
}
