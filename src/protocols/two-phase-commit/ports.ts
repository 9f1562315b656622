import type {
  Acknowledgement,
  Acknowledgements,
  AppError,
  CarriedOut,
  Decision,
  DecisionDetails,
  DecisionRow,
  InDoubt,
  TransactionHead,
  TransactionId,
} from '../../kernel/index.js';

export type * from '../../kernel/transaction.js';

/** `position` is the log position of the promise in the participant's history, if it has one: `<epoch>.<seq>`. */
export type Vote =
  { readonly vote: 'yes'; readonly position?: string } | { readonly vote: 'no'; readonly reason: AppError };

/**
 * A store that takes part in transactions decided elsewhere, in three durable steps. Every method may be called again, late,
 * after a crash, and for a transaction that the store has never seen.
 */
export interface Participant<Work> {
  /** Names this kind of store, for people and in the history of a transaction. Never changes. */
  readonly name: string;
  /**
   * `yes`: a later `commit` will succeed, whatever happens. The promise, with `head` and all that the commit needs, is durable
   * when it resolves, also in every other process that must hold it. `no`: nothing is left of it. A rejection or silence until
   * the deadline leaves open whether it is prepared; an `abort` follows, after which a late `prepare` must leave nothing.
   */
  prepare(head: TransactionHead, work: Work): Promise<Vote>;
  /** Durable and visible to readers when it resolves. Repeated or unprepared: no effect, only the acknowledgement if known. */
  commit(id: TransactionId): Promise<Acknowledgement>;
  /** Durable when it resolves: the transaction will not be in doubt any more. Repeated or unprepared: no effect. */
  abort(id: TransactionId): Promise<Acknowledgement>;
  /** All promised and undecided transactions, oldest first, from the durable state. */
  inDoubt(): Promise<readonly InDoubt[]>;
  /** Optional: what the store's durable history shows as carried out, oldest first. It must agree with the rows at the start. */
  carriedOut?(): Promise<readonly CarriedOut[]>;
  /** Optional: false when the store is certain that its history never held a promise here, as after an older copy replaced it. */
  mayHavePrepared?(id: TransactionId, position: string): Promise<boolean>;
}

/**
 * The store whose own commit is the decision (Gray's last resource): a row `(id, decision)` under a primary key. The first writer
 * of the row has decided; every later writer finds the row and obeys.
 */
export interface LastResource<Work, Result> {
  /** The id of the database; never changes, and another database has another one. */
  readonly id: string;
  /**
   * The present incarnation of the database: a random whole number of at most 53 bits, drawn at its start, durable before
   * anything is decided in it, and never used again. It is constant when incarnations are not kept.
   */
  readonly incarnation: number;
  /**
   * Whether this database, or the one that it was copied from, ever lived that incarnation; a newer copy may have decided in an
   * unknown one. True for the present one, false for a forgotten one, always true when incarnations are not kept.
   */
  knowsIncarnation(incarnation: number): boolean | Promise<boolean>;
  /**
   * Runs `work` and writes the row `committed` in one commit, durable when it resolves. `aborted`: the row said so already, and
   * nothing of `work` is left. Rejects with `outcome-unknown`, or with another error when this call has certainly written nothing
   * and never will.
   */
  commit(
    details: DecisionDetails,
    work: Work,
  ): Promise<{ readonly decision: 'committed'; readonly result: Result } | { readonly decision: 'aborted' }>;
  /** Writes the row `aborted` for each that has no row. Resolves with the durable rows. Rejects as `commit`, for all of them. */
  abort(details: readonly DecisionDetails[]): Promise<ReadonlyMap<TransactionId, Decision>>;
  /** Writes a row that a person has decided on, if there is none. Resolves with the durable decision of the row. */
  decide(details: DecisionDetails, decision: Decision): Promise<Decision>;
  /** The decisions of the rows; absent where there is no row. */
  decisions(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, Decision>>;
  /** The rows that are not completed, oldest first. */
  incomplete(): Promise<readonly DecisionRow[]>;
  /**
   * Optional: some of the newest committed and completed rows. At the start their participants are asked for these promises too,
   * because an older copy of a participant lacks the newest ones first.
   */
  lastCompleted?(): Promise<readonly DecisionRow[]>;
  /** All participants have carried the decision out. Rows show it at once; a later commit makes it durable. May be repeated. */
  completed(id: TransactionId, acknowledgements: Acknowledgements): void;
}
