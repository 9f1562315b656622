/** A UUID of version 7: unique for ever, and ordered by time. */
export type TransactionId = string;

export type Decision = 'committed' | 'aborted';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The part of a transaction over several stores that every participant keeps. */
export interface TransactionHead {
  readonly id: TransactionId;
  /** A label for people, such as `books-2pc`. */
  readonly kind: string;
  /** The id of the database whose row decides. An absent row means "aborted" only in that database. */
  readonly decidedBy: string;
  /** The incarnation of that database at the transaction's start. A database without it is an older copy or another one. */
  readonly incarnation: number;
}

/** A transaction that a participant has promised and whose decision it does not know yet. */
export interface InDoubt extends TransactionHead {
  readonly preparedAtMs: number;
  /** The log position of the promise in the participant's own history, if it has one: `<epoch>.<seq>`. */
  readonly position?: string;
}

export interface CarriedOut extends TransactionHead {
  readonly decision: Decision;
}

/** A participant's report of a transaction that it has carried out; empty when it has forgotten the transaction. */
export interface Acknowledgement {
  /** The log position of the decision in the participant's own history, if it has one: `<epoch>.<seq>`. */
  readonly position?: string;
  /** Results that only the commit itself could produce, for the answer to the client. */
  readonly outcome?: Readonly<Record<string, Json>>;
}

/** Keyed by participant. */
export type Acknowledgements = Readonly<Record<string, Acknowledgement>>;

/** The details of a decision. Times are milliseconds since the Unix epoch. */
export interface DecisionDetails extends TransactionHead {
  readonly by: 'coordinator' | 'recovery' | 'operator';
  readonly begunAtMs: number;
  readonly preparedAtMs: number;
  /** The log position of each participant's promise, empty where it has none. Names all participants that may hold a promise. */
  readonly positions: Readonly<Record<string, string>>;
  /** The operation id of the transaction's write, for `GET /operations/{id}`. */
  readonly operationId?: string;
  readonly reason?: string;
}

/** A decision as its row stores it. */
export interface DecisionRow extends DecisionDetails {
  readonly decision: Decision;
  readonly decidedAtMs: number;
  /** When all participants had carried out the decision; absent while that is unknown. */
  readonly completedAtMs?: number;
  /** Present exactly when the transaction is completed. */
  readonly acknowledgements?: Acknowledgements;
}
