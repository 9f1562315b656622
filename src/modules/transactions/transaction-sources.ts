import type {
  Decision,
  DecisionRow,
  InDoubt,
  RecoveryReport,
  TransactionId,
  TransactionView,
} from '../../protocols/two-phase-commit/index.js';

/** What the coordinator knows of this incarnation of the process, and what an operator may ask it for. */
export interface RunningTransactions {
  /** Under way, and the last that ended. */
  live(): readonly TransactionView[];
  find(id: TransactionId): TransactionView | undefined;
  recoverNow(): Promise<RecoveryReport>;
  /** Rejects with `not-found`, or `conflict` when it contradicts what is decided or may still be. */
  resolve(
    id: TransactionId,
    decision: Decision,
    by: { readonly by: string; readonly reason: string },
  ): Promise<unknown>;
}

/** A decision as people see it. */
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

/** The rows of the last resource. What they give is as new as every commit before the call. */
export interface DecisionRows {
  find(id: TransactionId): TransactionViewRow | undefined;
  decisionOf(id: TransactionId): Decision | undefined;
  /** In id order, with ids greater than `after`. */
  page(page: {
    readonly after: string;
    readonly limit: number;
    readonly decision?: Decision;
  }): readonly TransactionViewRow[];
  /** Those not known to be carried out by all, in id order. */
  incomplete(): readonly TransactionViewRow[];
  count(decision?: Decision): number;
}

/** A store that takes part, as far as people ask it. */
export interface PromiseHolder {
  readonly name: string;
  inDoubt(): Promise<readonly InDoubt[]>;
}
