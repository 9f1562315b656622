/**
 * Decides the transactions that participants have promised without hearing the decision.
 *
 * Invariant: the decision is what a row says after recovery offered `aborted` for it, never the mere absence of a row. Recovery
 * offers nothing for what this database may not have decided.
 */
import type { Decision, DecisionDetails, DecisionRow, InDoubt, TransactionHead, TransactionId } from '../ports.js';

export interface UndecidedTransaction extends TransactionHead {
  readonly preparedAtMs: number;
  /** By participant: the log position of its promise, empty where the promise has none. */
  readonly positions: Readonly<Record<string, string>>;
}

export interface Judge {
  readonly id: string;
  /** The incarnations in question that this database has lived. */
  readonly lived: ReadonlySet<number>;
  /** A recovery from replicas names these: a lost database may have decided them. */
  readonly unmatched: ReadonlySet<TransactionId>;
}

export interface RecoveryPlan {
  /** Offered to the last resource in one commit; its rows then decide. */
  readonly offered: readonly DecisionDetails[];
  /** Recovery reads their rows. Those without a row do not change. */
  readonly unmatched: readonly UndecidedTransaction[];
}

/** One notification of a participant; all may be sent at once, and sent again. */
export interface Notification {
  readonly id: TransactionId;
  readonly participant: string;
  readonly decision: Decision;
}

/** Grouped by transaction, in the order in which they were first found. */
export function undecidedOf(found: Readonly<Record<string, readonly InDoubt[]>>): readonly UndecidedTransaction[] {
  const byId = new Map<TransactionId, UndecidedTransaction>();
  for (const [participant, inDoubt] of Object.entries(found)) {
    for (const { id, kind, decidedBy, incarnation, preparedAtMs, position = '' } of inDoubt) {
      const before = byId.get(id) ?? { id, kind, decidedBy, incarnation, preparedAtMs, positions: {} };
      byId.set(id, { ...before, positions: { ...before.positions, [participant]: position } });
    }
  }
  return [...byId.values()];
}

/** Another process is deciding it until it has been in doubt for too long. `inDoubtForMs` comes from a monotonic clock. */
export function isDue(isLive: boolean, inDoubtForMs: number, inDoubtAfterMs: number): boolean {
  return !isLive || inDoubtForMs >= inDoubtAfterMs;
}

/**
 * Whether another database may hold the decision. A database that does not know the transaction's incarnation is a copy from
 * before that incarnation, and remains one however often it is started.
 */
export function isUnmatched({ id, decidedBy, incarnation }: TransactionHead, judge: Judge): boolean {
  return decidedBy !== judge.id || !judge.lived.has(incarnation) || judge.unmatched.has(id);
}

export function planRecovery(inDoubt: readonly UndecidedTransaction[], judge: Judge): RecoveryPlan {
  const unmatched = inDoubt.filter((undecided) => isUnmatched(undecided, judge));
  const offered = inDoubt
    .filter((undecided) => !isUnmatched(undecided, judge))
    .map((undecided) => detailsOf(undecided, 'recovery'));
  return { offered, unmatched };
}

/** The time when it was begun is no longer known. */
export function detailsOf(
  undecided: UndecidedTransaction,
  by: DecisionDetails['by'],
  reason = 'the transaction was in doubt and no coordinator was deciding it',
): DecisionDetails {
  const { id, kind, decidedBy, incarnation, preparedAtMs, positions } = undecided;
  return { id, kind, decidedBy, incarnation, preparedAtMs, positions, by, begunAtMs: preparedAtMs, reason };
}

/** The notifications for all in-doubt transactions that have a row. */
export function notificationsOf(
  inDoubt: readonly Pick<UndecidedTransaction, 'id' | 'positions'>[],
  rows: ReadonlyMap<TransactionId, Decision>,
): readonly Notification[] {
  return inDoubt.flatMap(({ id, positions }) => {
    const decision = rows.get(id);
    if (decision === undefined) return [];
    return Object.keys(positions).map((participant) => ({ id, participant, decision }));
  });
}

/** A contradiction between a participant and a row: one of them is an older copy. */
export interface Mismatch {
  readonly id: TransactionId;
  readonly kind: string;
  readonly participant: string;
  readonly problem:
    /** The participant has committed without a row: the database is an older copy, or another one. */
    | 'no-row'
    /** The participant has carried out the opposite of the row. */
    | 'other-decision'
    /** The row says committed, but the participant never promised: the participant is an older copy. */
    | 'never-promised'
    /** The row says committed, but there is no such participant. */
    | 'no-participant';
}

export interface StartState {
  readonly participants: readonly string[];
  readonly inDoubt: Readonly<Record<string, readonly InDoubt[]>>;
  readonly carriedOut: Readonly<Record<string, readonly (TransactionHead & { readonly decision: Decision })[]>>;
  /** The rows of all ids in `carriedOut`. */
  readonly rows: ReadonlyMap<TransactionId, Decision>;
  /** The participants must be able to show these promises, or have forgotten them. */
  readonly toBeFound: readonly DecisionRow[];
  /** A recovery from replicas names these; they are known to have no row. */
  readonly unmatched: ReadonlySet<TransactionId>;
}

/** A promise that a committed row records but its participant does not show. */
export interface MissingPromise {
  readonly id: TransactionId;
  readonly kind: string;
  readonly participant: string;
  readonly position: string;
}

/** Ask the participants whether these were ever made; what they are certain of goes into `mismatches`. */
export function missingPromises(state: StartState): readonly MissingPromise[] {
  const shown = new Map(
    state.participants.map((name) => {
      const known = [...(state.inDoubt[name] ?? []), ...(state.carriedOut[name] ?? [])];
      return [name, new Set(known.map(({ id }) => id))];
    }),
  );
  return committedPositions(state).filter(({ id, participant }) => shown.get(participant)?.has(id) === false);
}

/** `neverMade`: the missing promises of which the participant is certain. */
export function mismatches(state: StartState, neverMade: readonly MissingPromise[]): readonly Mismatch[] {
  const { participants, carriedOut, rows, unmatched } = state;
  const contradicted = Object.entries(carriedOut).flatMap(([participant, transactions]) =>
    transactions.flatMap(({ id, kind, decision }): readonly Mismatch[] => {
      const row = rows.get(id);
      const needsNoRow = decision === 'aborted' || unmatched.has(id);
      if (row === decision || (row === undefined && needsNoRow)) return [];
      return [{ id, kind, participant, problem: row === undefined ? 'no-row' : 'other-decision' }];
    }),
  );
  const homeless = committedPositions(state).filter(({ participant }) => !participants.includes(participant));
  const problem = (missing: MissingPromise, what: Mismatch['problem']): Mismatch => {
    const { id, kind, participant } = missing;
    return { id, kind, participant, problem: what };
  };
  return [
    ...contradicted,
    ...neverMade.map((missing) => problem(missing, 'never-promised')),
    ...homeless.map((missing) => problem(missing, 'no-participant')),
  ];
}

/** A person has accepted the loss of a completed row that lacks a participant's acknowledgement. */
function committedPositions({ toBeFound }: StartState): readonly MissingPromise[] {
  return toBeFound
    .filter(({ decision }) => decision === 'committed')
    .flatMap(({ id, kind, positions, acknowledgements }) =>
      Object.entries(positions)
        .filter(([participant]) => acknowledgements === undefined || participant in acknowledgements)
        .map(([participant, position]) => ({ id, kind, participant, position })),
    );
}
