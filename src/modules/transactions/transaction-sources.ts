import type {
  Decision,
  DecisionRow,
  InDoubt,
  RecoveryReport,
  TransactionId,
  TransactionView,
} from '../../protocols/two-phase-commit/index.js';

/** What the coordinator knows of this incarnation, and what an operator may ask of it. */
export interface RunningTransactions {
  /** Transactions under way, and the last that ended. */
  live(): readonly TransactionView[];
  find(id: TransactionId): TransactionView | undefined;
  recoverNow(): Promise<RecoveryReport>;
  /** Rejects with `not-found`, or with `conflict` when `decision` contradicts what is decided or may yet be decided. */
  resolve(
    id: TransactionId,
    decision: Decision,
    by: { readonly by: string; readonly reason: string },
  ): Promise<unknown>;
}

export type TransactionViewRow = Pick<
  DecisionRow,
  | 'id'
  | 'kind'
  | 'decision'
  | 'begunAtMs'
  | 'preparedAtMs'
  | 'decidedAtMs'
  | 'completedAtMs'
  | 'positions'
  | 'operationId'
  | 'reason'
> & { readonly by: string };

/** The rows of the last resource. Results include every commit before the call. */
export interface DecisionRows {
  find(id: TransactionId): TransactionViewRow | undefined;
  decisionOf(id: TransactionId): Decision | undefined;
  /** In id order, with ids greater than `after`. */
  page(page: {
    readonly after: string;
    readonly limit: number;
    readonly decision?: Decision;
  }): readonly TransactionViewRow[];
  /** Decisions not known to be carried out by all participants, in id order. */
  incomplete(): readonly TransactionViewRow[];
  count(decision?: Decision): number;
}

export interface PromiseHolder {
  readonly name: string;
  inDoubt(): Promise<readonly InDoubt[]>;
}
