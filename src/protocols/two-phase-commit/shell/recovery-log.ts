import type { Clock, Log } from '../../../kernel/index.js';
import type { BranchState } from '../core/coordinator.js';
import type { UndecidedTransaction } from '../core/recovery.js';
import { isEnded, type TransactionState } from '../core/states.js';
import type { Decision, TransactionHead, TransactionId } from '../ports.js';
import type { Notified } from './phase-two.js';
import { type TransactionHistory, TransactionRecord } from './transaction-record.js';

type Named = Pick<TransactionHead, 'id' | 'kind'> & { readonly positions: Readonly<Record<string, string>> };

/** The transactions that this process decides, or whose participants it notifies. */
export interface UnderWayNow {
  find(id: TransactionId): unknown;
  ids(): ReadonlySet<TransactionId>;
}

/**
 * Writes recovery's results into the history and the log. A transaction under way is left to its own run. One that ended while
 * recovery was at work is not touched again, because it has been counted.
 */
export class RecoveryLog {
  constructor(
    private readonly history: TransactionHistory,
    private readonly underWay: UnderWayNow,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Some decisions that runs left behind may be carried out without notice here. */
  hasLeftovers(): boolean {
    return [...this.history.unfinished()].some(isDecided);
  }

  found(inDoubt: readonly UndecidedTransaction[]): void {
    for (const undecided of inDoubt) {
      const isKnown = this.underWay.find(undecided.id) ?? this.history.find(undecided.id);
      if (isKnown === undefined) this.open(undecided, 'in-doubt').note('found-in-doubt');
    }
  }

  /** The transactions have no row in this database. */
  left(inDoubt: readonly UndecidedTransaction[]): void {
    for (const undecided of inDoubt) {
      if (this.hasEnded(undecided.id)) continue;
      const record = this.history.findUnfinished(undecided.id) ?? this.open(undecided, 'in-doubt');
      if (record.state === 'unmatched') continue;
      record.update({ state: 'unmatched', branches: prepared(undecided) });
      record.note('unmatched');
      const { id, kind, decidedBy, incarnation } = undecided;
      this.log.warn('a transaction is in doubt and another database decides it', {
        ...{ transaction: id, kind, decidedBy, incarnation },
      });
    }
  }

  resolved({ id }: UndecidedTransaction, decision: Decision, why: string): void {
    const record = this.history.findUnfinished(id);
    if (record === undefined) return;
    record.note('resolved', undefined, why);
    record.reason = why;
    record.update({ state: decision === 'committed' ? 'committing' : 'aborting', branches: record.branches });
  }

  notified(notified: ReadonlyMap<TransactionId, Notified>, transactions: readonly Named[]): void {
    const named = new Map(transactions.map((each) => [each.id, each]));
    for (const [id, result] of notified) {
      const transaction = named.get(id);
      if (transaction !== undefined) this.noteNotified(transaction, result);
    }
  }

  /** `unsettled`: all that are in doubt, or have a row that is not completed. */
  settleLeftovers(unsettled: readonly Pick<TransactionHead, 'id'>[]): void {
    const ids = new Set(unsettled.map(({ id }) => id));
    for (const record of this.history.unfinished()) {
      if (ids.has(record.id)) continue;
      // Another process has decided it and notified its participants.
      if (record.state === 'unmatched') this.history.forget(record);
      else if (isDecided(record)) {
        const state = record.state === 'committing' ? 'committed' : 'aborted';
        record.update({ state, branches: record.branches.map(({ name }) => ({ name, state })) });
        this.history.keep(record);
      }
    }
  }

  private noteNotified(transaction: Named, { decision, errors }: Notified): void {
    const { id, kind } = transaction;
    if (this.hasEnded(id)) return;
    const pending = Object.entries(errors);
    const details = { transaction: id, kind, decision };
    if (pending.length === 0) this.log.info('a transaction was recovered', details);
    if (this.underWay.find(id)) return;
    const record = this.history.findUnfinished(id) ?? this.open(transaction, 'in-doubt');
    const isNews = pending.length === 0 || !record.branches.some(({ state }) => state === 'untold');
    // Recovery retries every second; one line is enough.
    if (pending.length > 0 && isNews)
      this.log.warn('a participant could not be notified of a decision', { ...details, errors });
    if (isNews) record.note(decision, undefined, 'recovery');
    for (const [participant, error] of isNews ? pending : []) record.note('untold', participant, error);
    const branches = Object.keys(transaction.positions).map((name) => {
      return { name, state: errors[name] === undefined ? decision : ('untold' as const) };
    });
    const onTheWay = decision === 'committed' ? 'committing' : 'aborting';
    record.update({ state: pending.length === 0 ? decision : onTheWay, branches });
    this.history.keep(record);
  }

  private hasEnded(id: TransactionId): boolean {
    const record = this.history.find(id);
    return record !== undefined && isEnded(record.state);
  }

  private open(transaction: Named, state: TransactionState): TransactionRecord {
    const { id, kind } = transaction;
    const record = new TransactionRecord(id, kind, this.clock, { state, branches: prepared(transaction) });
    this.history.keep(record);
    return record;
  }
}

function isDecided({ state }: TransactionRecord): boolean {
  return state === 'committing' || state === 'aborting';
}

function prepared({ positions }: Pick<Named, 'positions'>): Pick<BranchState, 'name' | 'state'>[] {
  return Object.keys(positions).map((name) => ({ name, state: 'prepared' }));
}
