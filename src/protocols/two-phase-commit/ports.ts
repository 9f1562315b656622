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

export type {
  Acknowledgement,
  Acknowledgements,
  CarriedOut,
  Decision,
  DecisionDetails,
  DecisionRow,
  InDoubt,
  TransactionHead,
  TransactionId,
};

/** `position`: where the promise stands in the participant's own history, if it has one: `<epoch>.<seq>`. */
export type Vote =
  { readonly vote: 'yes'; readonly position?: string } | { readonly vote: 'no'; readonly reason: AppError };

/**
 * A store that takes part in transactions whose decision is made elsewhere. Its part in the protocol is three durable
 * steps; what they do is its own.
 *
 * All of them may be called again, late, after a crash, and for a transaction that it has never heard of.
 */
export interface Participant<Work> {
  /** Of this kind of store, for people and in the history of a transaction. Never changes. */
  readonly name: string;
  /**
   * `yes`: whatever happens, a later `commit` will succeed. The promise, with `head` and all that the commit needs, is
   * durable when it resolves, also on whoever must hold it besides. `no`: nothing is left of it. A rejection or silence
   * until the deadline leaves open whether it is prepared: an `abort` follows. After that abort a late `prepare` must
   * not leave anything either.
   */
  prepare(head: TransactionHead, work: Work): Promise<Vote>;
  /** Durable and visible to readers when it resolves. Again, or never prepared: no effect, and the acknowledgement if it is known. */
  commit(id: TransactionId): Promise<Acknowledgement>;
  /** Durable when it resolves: it will not be in doubt any more. Again, or never prepared: no effect. */
  abort(id: TransactionId): Promise<Acknowledgement>;
  /** All that are promised and not decided, oldest first, from the durable state. */
  inDoubt(): Promise<readonly InDoubt[]>;
  /**
   * Optional, for a store that can say it: the transactions that it knows, from its durable history, to have carried out.
   * At the start each of them must agree with its row. Oldest first.
   */
  carriedOut?(): Promise<readonly CarriedOut[]>;
  /**
   * Optional: false when this store is certain that a promise at this place was never made in the history that it holds,
   * as after an older copy of it was put in its place.
   */
  mayHavePrepared?(id: TransactionId, position: string): Promise<boolean>;
}

/**
 * The store whose own commit is the decision (Gray's last resource): a row `(id, decision)` under a primary key. Who
 * writes it first has decided; everyone else finds it there and obeys.
 */
export interface LastResource<Work, Result> {
  /** Of the database. Never changes, and another database has another one. */
  readonly id: string;
  /**
   * Of the present incarnation of that database: a whole number of 53 bits at most, drawn at random at its start, durable before
   * anything is decided in it, never used again. The same for ever where incarnations are not kept.
   */
  readonly incarnation: number;
  /**
   * Whether this database, or the one that it was copied from, ever lived that incarnation: in one that it does not know, a newer
   * copy of it may have decided. True for the present one. What was forgotten counts as unknown. Always true where incarnations
   * are not kept.
   */
  knowsIncarnation(incarnation: number): boolean | Promise<boolean>;
  /**
   * Runs `work` and writes the row `committed`, in one commit, durable when it resolves. `aborted`: somebody had written
   * that before; nothing of `work` is left. Rejects with `outcome-unknown` when it may or may not be committed; with
   * anything else when nothing was written and, of this call, nothing ever will be.
   */
  commit(
    details: DecisionDetails,
    work: Work,
  ): Promise<{ readonly decision: 'committed'; readonly result: Result } | { readonly decision: 'aborted' }>;
  /**
   * Writes the row `aborted` for each that has no row. Resolves with what the rows say then, durably. Rejects as
   * `commit`, for all of them.
   */
  abort(details: readonly DecisionDetails[]): Promise<ReadonlyMap<TransactionId, Decision>>;
  /** Writes a row that a person has decided on, where there is none. Resolves with what the row says then, durably. */
  decide(details: DecisionDetails, decision: Decision): Promise<Decision>;
  /** What the rows say; absent where there is none. */
  decisions(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, Decision>>;
  /** The rows that were not told to be completed, oldest first. */
  incomplete(): Promise<readonly DecisionRow[]>;
  /**
   * Optional: some of the newest rows that are committed and completed. At the start their participants are asked for
   * these promises too, since an older copy of a participant lacks the newest ones first.
   */
  lastCompleted?(): Promise<readonly DecisionRow[]>;
  /**
   * All participants have carried the decision out. Known at once to readers of rows; made durable with some later
   * commit, so that it costs none of its own. It may be told again.
   */
  completed(id: TransactionId, acknowledgements: Acknowledgements): void;
}
