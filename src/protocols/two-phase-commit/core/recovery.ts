/**
 * What becomes of transactions that participants have promised and nobody has told them the decision of.
 *
 * Invariant: the decision is what a row says after `aborted` was offered for it, never what is merely not there; nothing
 * is offered for what this database may not have decided.
 */
import type { Decision, DecisionDetails, DecisionRow, InDoubt, TransactionHead, TransactionId } from '../ports.js';

/** One transaction, and who holds a promise of it. */
export interface UndecidedTransaction extends TransactionHead {
  readonly preparedAtMs: number;
  /** By participant: where its promise stands, empty where it has no place. */
  readonly positions: Readonly<Record<string, string>>;
}

/** The database that is here. */
export interface Judge {
  readonly id: string;
  /** Of the incarnations that began what is in doubt, those that it has lived. */
  readonly lived: ReadonlySet<number>;
  /** Named by a recovery from replicas: what they promised may have been decided by a database that is lost. */
  readonly unmatched: ReadonlySet<TransactionId>;
}

export interface RecoveryPlan {
  /** To be offered to the last resource in one commit; its rows then decide. */
  readonly offered: readonly DecisionDetails[];
  /** Their rows are looked at. Those without one stay as they are. */
  readonly unmatched: readonly UndecidedTransaction[];
}

/** One step of telling; all of them may be taken at once, and taken again. */
export interface Notification {
  readonly id: TransactionId;
  readonly participant: string;
  readonly decision: Decision;
}

/** By transaction, in the order in which they were first found. */
export function undecidedOf(found: Readonly<Record<string, readonly InDoubt[]>>): readonly UndecidedTransaction[] {
  const doubts = new Map<TransactionId, UndecidedTransaction>();
  for (const [participant, inDoubt] of Object.entries(found)) {
    for (const { id, kind, decidedBy, incarnation, preparedAtMs, position = '' } of inDoubt) {
      const before = doubts.get(id) ?? { id, kind, decidedBy, incarnation, preparedAtMs, positions: {} };
      doubts.set(id, { ...before, positions: { ...before.positions, [participant]: position } });
    }
  }
  return [...doubts.values()];
}

/** Somebody else is at it until it has been in doubt for too long. `inDoubtForMs`: by a clock that does not jump. */
export function isDue(isLive: boolean, inDoubtForMs: number, inDoubtAfterMs: number): boolean {
  return !isLive || inDoubtForMs >= inDoubtAfterMs;
}

/**
 * Whether the decision may have been made where this database does not show it. A database that has not lived the incarnation
 * in which it was begun is a copy from before that incarnation, and stays one however often it is started.
 */
export function isUnmatched({ id, decidedBy, incarnation }: TransactionHead, judge: Judge): boolean {
  return decidedBy !== judge.id || !judge.lived.has(incarnation) || judge.unmatched.has(id);
}

export function planRecovery(doubts: readonly UndecidedTransaction[], judge: Judge): RecoveryPlan {
  const unmatched = doubts.filter((undecided) => isUnmatched(undecided, judge));
  const offered = doubts
    .filter((undecided) => !isUnmatched(undecided, judge))
    .map((undecided) => detailsOf(undecided, 'recovery'));
  return { offered, unmatched };
}

/** When it was begun is not known any more. */
export function detailsOf(
  undecided: UndecidedTransaction,
  by: DecisionDetails['by'],
  reason = 'it was in doubt and nobody was deciding it',
): DecisionDetails {
  const { id, kind, decidedBy, incarnation, preparedAtMs, positions } = undecided;
  return { id, kind, decidedBy, incarnation, preparedAtMs, positions, by, begunAtMs: preparedAtMs, reason };
}

/** Whom to tell what, of those that have a row. */
export function tellingsOf(
  doubts: readonly Pick<UndecidedTransaction, 'id' | 'positions'>[],
  rows: ReadonlyMap<TransactionId, Decision>,
): readonly Notification[] {
  return doubts.flatMap(({ id, positions }) => {
    const decision = rows.get(id);
    if (decision === undefined) return [];
    return Object.keys(positions).map((participant) => ({ id, participant, decision }));
  });
}

/** What contradicts itself between the participants and the rows: one of them is an older copy. */
export interface Mismatch {
  readonly id: TransactionId;
  readonly kind: string;
  readonly participant: string;
  readonly problem:
    /** The participant has committed it, and there is no row: the database is an older copy, or another one. */
    | 'no-row'
    /** The participant has carried out the one, and the row says the other. */
    | 'other-decision'
    /** The row says committed, and the participant never promised it: it is an older copy. */
    | 'never-promised'
    /** The row says committed, and there is no such participant. */
    | 'no-participant';
}

export interface StartState {
  readonly participants: readonly string[];
  readonly inDoubt: Readonly<Record<string, readonly InDoubt[]>>;
  readonly carriedOut: Readonly<Record<string, readonly (TransactionHead & { readonly decision: Decision })[]>>;
  /** Of all ids in `carriedOut`. */
  readonly rows: ReadonlyMap<TransactionId, Decision>;
  /** Whose promises the participants must be able to show, or have forgotten. */
  readonly toBeFound: readonly DecisionRow[];
  /** Named by a recovery from replicas: that there is no row for them is known. */
  readonly unmatched: ReadonlySet<TransactionId>;
}

/** A promise that a committed row tells of and that its participant does not show. */
export interface MissingPromise {
  readonly id: TransactionId;
  readonly kind: string;
  readonly participant: string;
  readonly position: string;
}

/** The participants are to be asked whether these were ever made; what they are certain of goes into `mismatches`. */
export function missingPromises(state: StartState): readonly MissingPromise[] {
  const shown = new Map(
    state.participants.map((name) => {
      const known = [...(state.inDoubt[name] ?? []), ...(state.carriedOut[name] ?? [])];
      return [name, new Set(known.map(({ id }) => id))];
    }),
  );
  return committedPositions(state).filter(({ id, participant }) => shown.get(participant)?.has(id) === false);
}

/** `neverMade`: of the missing promises, those of which the participant is certain. */
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

/** A completed one without a participant's acknowledgement is one whose loss a person has accepted. */
function committedPositions({ toBeFound }: StartState): readonly MissingPromise[] {
  return toBeFound
    .filter(({ decision }) => decision === 'committed')
    .flatMap(({ id, kind, positions, acknowledgements }) =>
      Object.entries(positions)
        .filter(([participant]) => acknowledgements === undefined || participant in acknowledgements)
        .map(([participant, position]) => ({ id, kind, participant, position })),
    );
}
