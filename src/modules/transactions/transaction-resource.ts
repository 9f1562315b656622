import type { InDoubt, TransactionView } from '../../protocols/two-phase-commit/index.js';
import type { TransactionViewState, TransactionResource } from './transaction.schemas.js';
import type { TransactionViewRow } from './transaction-sources.js';

export interface Known {
  readonly row?: TransactionViewRow | undefined;
  readonly view?: TransactionView | undefined;
  /** By participant: the promise that it holds. */
  readonly promises?: ReadonlyMap<string, InDoubt> | undefined;
}

interface Phase {
  readonly phase: string;
  readonly atMs: number;
  readonly participant?: string;
  readonly detail?: string;
}

/** The row decides; the coordinator of this incarnation knows the phases; a promise may remain from an earlier incarnation. */
export function transactionResource(known: Known): TransactionResource | undefined {
  const { row, view } = known;
  const source = row ?? view ?? known.promises?.values().next().value;
  if (source === undefined) return undefined;
  const operationId = row?.operationId ?? view?.operationId;
  const reason = row?.reason ?? view?.reason;
  return {
    id: source.id,
    kind: source.kind,
    state: row ? stateOfRow(row) : (view?.state ?? 'in-doubt'),
    participants: participantsOf(known),
    history: (view?.history ?? historyOf(known)).map(({ phase, atMs, participant, detail }) => ({
      phase,
      at: new Date(atMs).toISOString(),
      ...(participant !== undefined && { participant }),
      ...(detail !== undefined && { detail }),
    })),
    ...(operationId !== undefined && { operationId }),
    ...(reason !== undefined && { reason }),
  };
}

export function stateOfRow({
  decision,
  completedAtMs,
}: Pick<TransactionViewRow, 'decision' | 'completedAtMs'>): TransactionViewState {
  if (completedAtMs !== undefined) return decision;
  return decision === 'committed' ? 'committing' : 'aborting';
}

function participantsOf({ row, view, promises }: Known): TransactionResource['participants'] {
  if (view) return view.participants.map(({ name, state }) => ({ name, state }));
  if (row) {
    const state = row.completedAtMs === undefined ? 'untold' : row.decision;
    return Object.keys(row.positions).map((name) => ({ name, state }));
  }
  return [...(promises?.keys() ?? [])].map((name) => ({ name, state: 'prepared' }));
}

/** The phases of a transaction from an earlier incarnation. */
function historyOf({ row, promises }: Known): readonly Phase[] {
  if (row) {
    const promised = Object.entries(row.positions).map(([participant, position]) =>
      promise(participant, row.preparedAtMs, position),
    );
    return [
      { phase: 'prepare', atMs: row.begunAtMs },
      ...promised,
      { phase: row.decision, atMs: row.decidedAtMs, detail: `by ${row.by}` },
      ...(row.completedAtMs === undefined ? [] : [{ phase: 'completed', atMs: row.completedAtMs }]),
    ];
  }
  return [...(promises ?? [])].map(([participant, { preparedAtMs, position = '' }]) =>
    promise(participant, preparedAtMs, position),
  );
}

function promise(participant: string, atMs: number, position: string): Phase {
  return { phase: 'promised', atMs, participant, ...(position !== '' && { detail: position }) };
}
