import type { Decision, InDoubt, TransactionId, TransactionView } from '../../protocols/two-phase-commit/index.js';
import { type Known, transactionResource, stateOfRow } from './transaction-resource.js';
import type { TransactionViewState, TransactionResource } from './transaction.schemas.js';
import type { DecisionRows, PromiseHolder, RunningTransactions, TransactionViewRow } from './transaction-sources.js';

export interface TransactionPageRequest {
  readonly limit: number;
  /** Only ids greater than this; empty for all. */
  readonly after: string;
  readonly state?: TransactionViewState | undefined;
}

export interface TransactionPage {
  readonly transactions: readonly TransactionResource[];
  readonly hasMore: boolean;
  readonly total: number;
}

type Views = ReadonlyMap<TransactionId, TransactionView>;
type Promises = ReadonlyMap<TransactionId, ReadonlyMap<string, InDoubt>>;

interface Rows {
  readonly page: readonly TransactionViewRow[];
  readonly total: number;
}

const DECISION_OF: Readonly<Partial<Record<TransactionViewState, Decision>>> = {
  committed: 'committed',
  committing: 'committed',
  aborted: 'aborted',
  aborting: 'aborted',
};

/**
 * One list of all transactions, from three sources: the rows of decided ones, the coordinator's view of this incarnation, and the
 * promises of participants.
 */
export class TransactionReads {
  constructor(
    private readonly running: Pick<RunningTransactions, 'live' | 'find'>,
    private readonly participants: readonly PromiseHolder[],
    private readonly rows: DecisionRows,
  ) {}

  /** Undefined when the transaction is unknown, or no longer known. */
  async find(id: TransactionId): Promise<TransactionResource | undefined> {
    const promises = await this.promises();
    return transactionResource({ row: this.rows.find(id), view: this.running.find(id), promises: promises.get(id) });
  }

  async page({ limit, after, state }: TransactionPageRequest): Promise<TransactionPage> {
    const promises = await this.promises();
    // Nothing below awaits, so a transaction decided meanwhile is neither shown twice nor left out.
    const views = new Map(this.running.live().map((view) => [view.id, view]));
    const undecided = this.withoutRow(promises, views).filter((shown) => state === undefined || shown.state === state);
    const rows = this.rowsIn(state, after, limit + 1);
    const decided = rows.page.flatMap((row) => {
      return transactionResource({ row, view: views.get(row.id) }) ?? [];
    });
    const found = [...undecided.filter(({ id }) => id > after), ...decided].sort(byId);
    const transactions = found.slice(0, limit);
    return { transactions, hasMore: found.length > limit, total: undecided.length + rows.total };
  }

  /** Counts promised, undecided transactions that nobody is deciding at the moment. */
  async inDoubt(): Promise<number> {
    const promises = await this.promises();
    const undecided = this.withoutRow(promises, new Map(this.running.live().map((view) => [view.id, view])));
    return undecided.filter(({ state }) => state === 'in-doubt' || state === 'unmatched').length;
  }

  private async promises(): Promise<Promises> {
    const found = await Promise.all(this.participants.map((participant) => participant.inDoubt()));
    const promises = new Map<TransactionId, Map<string, InDoubt>>();
    for (const [index, { name }] of this.participants.entries()) {
      for (const inDoubt of found[index] ?? []) {
        const ofOne = promises.get(inDoubt.id) ?? new Map<string, InDoubt>();
        promises.set(inDoubt.id, ofOne.set(name, inDoubt));
      }
    }
    return promises;
  }

  private withoutRow(promises: Promises, views: Views): readonly TransactionResource[] {
    const known = new Map<TransactionId, Known>();
    for (const [id, ofOne] of promises) known.set(id, { promises: ofOne });
    for (const [id, view] of views) known.set(id, { view });
    return [...known].flatMap(([id, one]) => {
      return this.rows.decisionOf(id) === undefined ? (transactionResource(one) ?? []) : [];
    });
  }

  private rowsIn(state: TransactionViewState | undefined, after: string, limit: number): Rows {
    if (state === undefined) return { page: this.rows.page({ after, limit }), total: this.rows.count() };
    const decision = DECISION_OF[state];
    if (decision === undefined) return { page: [], total: 0 };
    const incomplete = this.rows.incomplete().filter((row) => row.decision === decision);
    if (state !== decision) {
      return { page: incomplete.filter(({ id }) => id > after).slice(0, limit), total: incomplete.length };
    }
    const page = this.rows.page({ after, limit: limit + incomplete.length, decision });
    return {
      page: page.filter((row) => stateOfRow(row) === state).slice(0, limit),
      total: this.rows.count(decision) - incomplete.length,
    };
  }
}

function byId(one: TransactionResource, other: TransactionResource): number {
  return one.id < other.id ? -1 : 1;
}
