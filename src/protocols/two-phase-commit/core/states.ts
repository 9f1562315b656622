/**
 * The states of one transaction, and their changes.
 *
 * Invariant: only its row makes it commit; a commit that has begun never turns into an abort, or an abort into a commit; what
 * this database may not have decided is never presumed aborted. The table is checked for this when it is loaded.
 */

export type TransactionState =
  | 'preparing'
  /** Some participants hold a promise, and no decision is known. */
  | 'in-doubt'
  /** In doubt, and another database or a newer copy of this one decides it: left to a person. */
  | 'unmatched'
  /** Decided; not all participants have carried it out. */
  | 'committing'
  | 'aborting'
  | 'committed'
  | 'aborted';

export type Turn =
  | 'all-promised'
  /** Some answered no, or nothing reliable; others may hold a promise. */
  | 'some-promised'
  /** All answered no: nothing is left anywhere. */
  | 'none-promised'
  | 'row-committed'
  | 'row-aborted'
  /** No process can ask for `committed` any more, and the row `aborted` cannot be written. */
  | 'presumed-aborted'
  | 'found-unmatched'
  | 'carried-out';

type Row = Readonly<Partial<Record<Turn, TransactionState>>>;

/** A turn that a state does not name cannot occur in that state. */
export const TRANSITIONS: Readonly<Record<TransactionState, Row>> = checked({
  preparing: { 'all-promised': 'in-doubt', 'some-promised': 'in-doubt', 'none-promised': 'aborted' },
  'in-doubt': {
    'row-committed': 'committing',
    'row-aborted': 'aborting',
    'presumed-aborted': 'aborting',
    'found-unmatched': 'unmatched',
  },
  unmatched: { 'row-committed': 'committing', 'row-aborted': 'aborting', 'found-unmatched': 'unmatched' },
  committing: { 'row-committed': 'committing', 'carried-out': 'committed' },
  aborting: { 'row-aborted': 'aborting', 'presumed-aborted': 'aborting', 'carried-out': 'aborted' },
  committed: {},
  aborted: {},
});

type Table = Record<TransactionState, Row>;

function checked(table: Table): Table {
  for (const [from, row] of Object.entries(table)) {
    for (const [turn, to] of Object.entries(row)) {
      if (to === 'committing' && turn !== 'row-committed') throw new Error(`${from} must not commit when ${turn}.`);
      const isCommitted = from === 'committing' || from === 'committed';
      if ((to === 'committed' && !isCommitted) || (isCommitted && to !== 'committing' && to !== 'committed')) {
        throw new Error(`${from} must not become ${to}.`);
      }
      const isAborted = from === 'aborting' || from === 'aborted';
      if (isAborted && to !== 'aborting' && to !== 'aborted') throw new Error(`${from} must not become ${to}.`);
      const isPresumption = turn === 'presumed-aborted' || turn === 'none-promised';
      if (from === 'unmatched' && isPresumption) throw new Error('unmatched must not be presumed aborted.');
    }
  }
  return table;
}

/** Throws when the turn cannot occur in this state: the caller is wrong and must not continue. */
export function moved(state: TransactionState, turn: Turn): TransactionState {
  const to = TRANSITIONS[state][turn];
  if (to === undefined) throw new Error(`A transaction that is ${state} cannot be ${turn}.`);
  return to;
}

export function isEnded(state: TransactionState): boolean {
  return state === 'committed' || state === 'aborted';
}
