export type TransactionDecision = 'committed' | 'aborted';

/** By participant: what it had to tell when it had carried the decision out. `place`: where that stands in its history. */
export type TransactionAcknowledgements = Readonly<
  Record<string, { readonly place?: string; readonly outcome?: Readonly<Record<string, unknown>> }>
>;

/** What is kept of a decision besides the decision. Times are milliseconds since the Unix epoch. */
export interface TransactionDetails {
  /** A UUID of version 7, so that the order of ids is that of time. */
  readonly id: string;
  readonly kind: string;
  readonly decidedBy: string;
  /** Of that database: the one that it was begun in. */
  readonly life: number;
  readonly by: string;
  readonly reason?: string;
  readonly operationId?: string;
  readonly begunAtMs: number;
  readonly preparedAtMs: number;
  /** By participant: where its promise stands. */
  readonly places: Readonly<Record<string, string>>;
}

export interface TransactionRow extends TransactionDetails {
  readonly decision: TransactionDecision;
  readonly decidedAtMs: number;
  /** Absent while not all participants are known to have carried the decision out. */
  readonly completedAtMs?: number;
  /** Present exactly when it is completed. */
  readonly receipts?: TransactionAcknowledgements;
}

/** As SQLite has it. */
export interface StoredTransaction {
  readonly id: string;
  readonly decision: TransactionDecision;
  readonly kind: string;
  readonly decidedBy: string;
  readonly life: number;
  readonly by: string;
  readonly reason: string | null;
  readonly operationId: string | null;
  readonly begunAtMs: number;
  readonly preparedAtMs: number;
  readonly decidedAtMs: number;
  readonly places: string;
  readonly completedAtMs: number | null;
  readonly receipts: string | null;
}

export const STORED_COLUMNS = `id, decision, kind, decided_by AS decidedBy, life, "by", reason, operation_id AS operationId,
  begun_at_ms AS begunAtMs, prepared_at_ms AS preparedAtMs, decided_at_ms AS decidedAtMs, places,
  completed_at_ms AS completedAtMs, receipts`;

export interface Completion {
  readonly completedAtMs: number;
  readonly receipts: TransactionAcknowledgements;
}

/** `waiting`: a completion that is not durable yet; one that is in the row counts before it. */
export function transactionRowOf(stored: StoredTransaction, waiting: Completion | undefined): TransactionRow {
  const { reason, operationId, completedAtMs, receipts, places, ...rest } = stored;
  return {
    ...rest,
    places: JSON.parse(places) as Readonly<Record<string, string>>,
    ...(reason !== null && { reason }),
    ...(operationId !== null && { operationId }),
    ...(completedAtMs === null ? waiting : { completedAtMs, receipts: acknowledgementsOf(receipts) }),
  };
}

export function acknowledgementsOf(stored: string | null): TransactionAcknowledgements {
  return stored === null ? {} : (JSON.parse(stored) as TransactionAcknowledgements);
}
