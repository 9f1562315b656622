import type { Acknowledgement, Acknowledgements, Decision, DecisionDetails, DecisionRow } from '../../kernel/index.js';

/** The row as SQLite returns it. */
export interface StoredTransaction {
  readonly id: string;
  readonly decision: Decision;
  readonly kind: string;
  readonly decidedBy: string;
  readonly incarnation: number;
  readonly by: DecisionDetails['by'];
  readonly reason: string | null;
  readonly operationId: string | null;
  readonly begunAtMs: number;
  readonly preparedAtMs: number;
  readonly decidedAtMs: number;
  readonly positions: string;
  readonly completedAtMs: number | null;
  readonly acknowledgements: string | null;
}

export const STORED_COLUMNS = `id, decision, kind, decided_by AS decidedBy, life AS incarnation, "by", reason,
  operation_id AS operationId, begun_at_ms AS begunAtMs, prepared_at_ms AS preparedAtMs, decided_at_ms AS decidedAtMs,
  places AS positions, completed_at_ms AS completedAtMs, receipts AS acknowledgements`;

export type Completion = Required<Pick<DecisionRow, 'completedAtMs' | 'acknowledgements'>>;

/** `waiting` is a completion that is not durable yet; a completion in the row takes precedence. */
export function transactionRowOf(stored: StoredTransaction, waiting: Completion | undefined): DecisionRow {
  const { reason, operationId, completedAtMs, acknowledgements, positions, ...rest } = stored;
  return {
    ...rest,
    positions: JSON.parse(positions) as DecisionRow['positions'],
    ...(reason !== null && { reason }),
    ...(operationId !== null && { operationId }),
    ...(completedAtMs === null
      ? waiting
      : { completedAtMs, acknowledgements: decodedAcknowledgements(acknowledgements) }),
  };
}

/** In rows a position is called `place`. */
type StoredAcknowledgement = Omit<Acknowledgement, 'position'> & { readonly place?: string };

export function encodedAcknowledgements(acknowledgements: Acknowledgements): string {
  const stored = Object.entries(acknowledgements).map(([name, { position, ...rest }]) => {
    return [name, { place: position, ...rest }];
  });
  return JSON.stringify(Object.fromEntries(stored));
}

export function decodedAcknowledgements(text: string | null): Acknowledgements {
  const stored = JSON.parse(text ?? '{}') as Readonly<Record<string, StoredAcknowledgement>>;
  return Object.fromEntries(
    Object.entries(stored).map(([name, { place, ...rest }]) => {
      return [name, place === undefined ? rest : { position: place, ...rest }];
    }),
  );
}
