/** Time-ordered and unique for ever: a UUID of version 7, so that the order of ids is that of time. */
export type TransactionId = string;

export type Decision = 'committed' | 'aborted';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The part of a transaction over several stores that everyone who takes part keeps. */
export interface TransactionHead {
  readonly id: TransactionId;
  /** For people: `books-2pc`. */
  readonly kind: string;
  /** The id of the database whose row decides: an absent row means "aborted" in that database alone. */
  readonly decidedBy: string;
  /** Of that database, when the transaction began. One that does not know it is an older copy, or another database. */
  readonly incarnation: number;
}

/** A transaction that a participant has promised and not been told the decision of. */
export interface InDoubt extends TransactionHead {
  readonly preparedAtMs: number;
  /** Where the promise stands in the participant's own history, if it has one: `<epoch>.<seq>`. */
  readonly position?: string;
}

/** A transaction that a participant has committed or aborted. */
export interface CarriedOut extends TransactionHead {
  readonly decision: Decision;
}

/** What a participant has to tell of a transaction that it has carried out. Empty: it knows nothing of it any more. */
export interface Acknowledgement {
  /** Where the decision stands in the participant's own history, if it has one: `<epoch>.<seq>`. */
  readonly position?: string;
  /** What only the commit itself could tell, for the answer to the client. */
  readonly outcome?: Readonly<Record<string, Json>>;
}

/** By participant. */
export type Acknowledgements = Readonly<Record<string, Acknowledgement>>;

/** What is kept of a decision besides the decision. Times are milliseconds since the Unix epoch. */
export interface DecisionDetails extends TransactionHead {
  /** Who asked for it. */
  readonly by: 'coordinator' | 'recovery' | 'operator';
  readonly begunAtMs: number;
  readonly preparedAtMs: number;
  /** By participant: where its promise stands, empty where it has no position. Names all that may hold a promise. */
  readonly positions: Readonly<Record<string, string>>;
  /** The write that this transaction is, for `GET /operations/{id}`. */
  readonly operationId?: string;
  readonly reason?: string;
}

/** A decision as its row tells it. */
export interface DecisionRow extends DecisionDetails {
  readonly decision: Decision;
  readonly decidedAtMs: number;
  /** When all participants had carried it out; absent while that is not known. */
  readonly completedAtMs?: number;
  /** Present exactly when it is completed. */
  readonly acknowledgements?: Acknowledgements;
}
