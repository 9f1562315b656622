import { type Clock, type CrashSites, isAppError, type Log, type Timers } from '../../../kernel/index.js';
import {
  type UndecidedTransaction,
  undecidedOf,
  isDue,
  type Judge,
  planRecovery,
  type RecoveryPlan,
  notificationsOf,
} from '../core/recovery.js';
import type { Decision, DecisionRow, TransactionId } from '../ports.js';
import { errorOf } from './error-of.js';
import { assertConsistent, findInDoubt, type Stores } from './consistency-check.js';
import { AS_LONG_AS_IT_TAKES, type InTime, within } from './in-time.js';
import { RecoveryLog, type UnderWayNow } from './recovery-log.js';
import { type Resolution, resolveInDoubt } from './resolution.js';
import { notifyAll } from './phase-two.js';
import type { RecoveryReport } from './transaction.js';
import type { TransactionHistory } from './transaction-record.js';

export interface RecoveryPorts extends Stores {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  readonly crashSites: CrashSites;
}

/** Sweeps per length of the in-doubt deadline. */
const SWEEPS = 5;

type Rows = ReadonlyMap<TransactionId, Decision>;

/** Finds in-doubt transactions and carries out the decisions of their rows. core/recovery.ts makes the choices. */
export class Recovery {
  /** Counted in sweeps, so that a clock that jumps cannot make a transaction older than it is. */
  private firstSeen = new Map<TransactionId, number>();
  private sweeps = 0;
  /** Only grows: a transaction that was once left to a person is not taken later, when it looks like any other. */
  private readonly unmatched = new Set<TransactionId>();
  private readonly recoveryLog: RecoveryLog;
  private readonly inTime: InTime;

  constructor(
    private readonly ports: RecoveryPorts,
    history: TransactionHistory,
    private readonly underWay: UnderWayNow,
    private readonly inDoubtAfterMs: number,
  ) {
    this.inTime = within(ports.timers, inDoubtAfterMs);
    this.recoveryLog = new RecoveryLog(history, underWay, ports.clock, ports.log);
  }

  /** Runs before anything is begun. Rejects with `recovery-needed` and changes nothing. */
  async atStart(unmatched: readonly TransactionId[]): Promise<RecoveryReport> {
    for (const id of unmatched) this.unmatched.add(id);
    const found = await findInDoubt(this.ports);
    await assertConsistent(this.ports, found, this.unmatched);
    return this.recover(undecidedOf(found), undecidedOf(found), true);
  }

  async now(): Promise<RecoveryReport> {
    const { inDoubt, due } = await this.find();
    return this.recover(inDoubt, due, false);
  }

  /** Like `now`, but almost free while all goes well. */
  async sweep(): Promise<void> {
    this.sweeps += 1;
    const { inDoubt, due } = await this.find();
    const news = due.filter(({ id }) => !this.unmatched.has(id));
    if (news.length > 0 || this.recoveryLog.hasLeftovers()) await this.recover(inDoubt, news, false);
  }

  /** Sweeps until the returned function is called. `inTurn` runs each sweep alone. */
  keepSweeping(inTurn: (sweep: () => Promise<void>) => Promise<void>): () => void {
    let isStopped = false;
    let cancel: () => void = () => undefined;
    const plan = (): void => {
      if (isStopped) return;
      cancel = this.ports.timers.after(this.inDoubtAfterMs / SWEEPS, () => {
        void inTurn(() => this.sweep())
          .catch((reason: unknown) => {
            this.ports.log.warn('a recovery has failed', { error: errorOf(reason).message });
          })
          .then(plan);
      });
    };
    plan();
    return () => {
      isStopped = true;
      cancel();
    };
  }

  /** Carries out a person's decision. Resolves and rejects as `TransactionCoordinator.resolve`. */
  async resolve(resolution: Resolution): Promise<void> {
    const stores = { ...this.ports, inTime: this.inTime };
    const undecided = await resolveInDoubt(resolution, (inDoubt) => this.judgeOf(inDoubt), stores);
    if (undecided === undefined) return;
    const { decision, by, reason } = resolution;
    this.recoveryLog.found([undecided]);
    this.recoveryLog.resolved(undecided, decision, `${by}: ${reason}`);
    const rows = (await this.ports.lastResource.incomplete()).filter(({ id }) => id === undecided.id);
    const notifications = notificationsOf(...mergedWithRows([undecided], new Map([[undecided.id, decision]]), rows));
    this.recoveryLog.notified(await notifyAll(notifications, stores), [undecided]);
  }

  private async judgeOf(inDoubt: readonly UndecidedTransaction[]): Promise<Judge> {
    const { lastResource } = this.ports;
    const { id } = lastResource;
    const its = new Set(inDoubt.filter(({ decidedBy }) => decidedBy === id).map(({ incarnation }) => incarnation));
    const known = await Promise.all(
      [...its].map(async (incarnation) => ((await lastResource.knowsIncarnation(incarnation)) ? [incarnation] : [])),
    );
    return { id, lived: new Set(known.flat()), unmatched: this.unmatched };
  }

  private async find(): Promise<{
    readonly inDoubt: readonly UndecidedTransaction[];
    readonly due: readonly UndecidedTransaction[];
  }> {
    // A transaction that ends while the participants are asked may still be among their answers.
    const before = this.underWay.ids();
    const inDoubt = undecidedOf(await findInDoubt(this.ports, this.inTime));
    const after = this.underWay.ids();
    this.firstSeen = new Map(inDoubt.map(({ id }) => [id, this.firstSeen.get(id) ?? this.sweeps]));
    const due = inDoubt.filter(({ id, decidedBy }) => {
      const inDoubtForMs = ((this.sweeps - (this.firstSeen.get(id) ?? this.sweeps)) * this.inDoubtAfterMs) / SWEEPS;
      // Another coordinator may be deciding what another database decides, unless the transaction was given up before.
      const isElsewhere = decidedBy !== this.ports.lastResource.id && !this.unmatched.has(id);
      const isLive = before.has(id) || after.has(id) || isElsewhere;
      return isDue(isLive, inDoubtForMs, this.inDoubtAfterMs);
    });
    return { inDoubt, due };
  }

  /** `inDoubt`: all in-doubt transactions; `due`: those to decide. */
  private async recover(
    inDoubt: readonly UndecidedTransaction[],
    due: readonly UndecidedTransaction[],
    isStart: boolean,
  ): Promise<RecoveryReport> {
    const plan = planRecovery(due, await this.judgeOf(due));
    for (const { id } of plan.unmatched) this.unmatched.add(id);
    this.recoveryLog.found(due);
    const { rows, errors } = await this.rowsOf(plan);
    const taken = new Set(due.map(({ id }) => id));
    const rowsLeft = await this.ports.lastResource.incomplete();
    const underWay = this.underWay.ids();
    const incomplete = rowsLeft.filter(({ id }) => taken.has(id) || !underWay.has(id));
    const inTime = isStart ? AS_LONG_AS_IT_TAKES : this.inTime;
    const notified = await notifyAll(notificationsOf(...mergedWithRows(due, rows, incomplete)), {
      ...this.ports,
      inTime,
    });
    const left = plan.unmatched.filter(({ id }) => !notified.has(id));
    this.recoveryLog.notified(notified, [...due, ...incomplete]);
    this.recoveryLog.left(left);
    this.recoveryLog.settleLeftovers([...inDoubt, ...incomplete]);
    return reportOf(notified, left, errors);
  }

  private async rowsOf({
    offered,
    unmatched,
  }: RecoveryPlan): Promise<{ rows: Rows; errors: Map<TransactionId, string> }> {
    const rows = new Map(unmatched.length > 0 ? await this.look(unmatched) : []);
    const errors = new Map<TransactionId, string>();
    if (offered.length === 0) return { rows, errors };
    try {
      this.ports.crashSites.reach('2pc.recovery.decide.before');
      const decided = await this.ports.lastResource.abort(offered);
      this.ports.crashSites.reach('2pc.recovery.decide.after');
      for (const [id, decision] of decided) rows.set(id, decision);
    } catch (reason) {
      const { message } = errorOf(reason);
      this.ports.log.warn('recovery cannot write the rows of transactions in doubt', { error: message });
      // An existing row has decided. A missing row proves nothing.
      const there: Rows = isAppError(reason, 'outcome-unknown') ? new Map() : await this.look(offered);
      for (const { id } of offered) {
        const decision = there.get(id);
        if (decision) rows.set(id, decision);
        else errors.set(id, message);
      }
    }
    return { rows, errors };
  }

  private look(transactions: readonly { readonly id: TransactionId }[]): Promise<Rows> {
    return this.ports.lastResource.decisions(transactions.map(({ id }) => id));
  }
}

/** A row names all participants that may hold a promise, and an in-doubt transaction those that do; either may be missing. */
function mergedWithRows(
  due: readonly UndecidedTransaction[],
  rows: Rows,
  incomplete: readonly DecisionRow[],
): [readonly Pick<UndecidedTransaction, 'id' | 'positions'>[], Rows] {
  const positions = new Map(due.map((undecided) => [undecided.id, undecided.positions]));
  const decisions = new Map(rows);
  for (const row of incomplete) {
    positions.set(row.id, { ...row.positions, ...positions.get(row.id) });
    decisions.set(row.id, row.decision);
  }
  return [[...positions].map(([id, its]) => ({ id, positions: its })), decisions];
}

function reportOf(
  notified: Awaited<ReturnType<typeof notifyAll>>,
  unmatched: readonly UndecidedTransaction[],
  errors: ReadonlyMap<TransactionId, string>,
): RecoveryReport {
  const failed = [...errors].map(([id, error]) => ({ id, error }));
  const done: Record<Decision, TransactionId[]> = { committed: [], aborted: [] };
  for (const [id, { decision, errors: its }] of notified) {
    const [first] = Object.entries(its);
    if (first === undefined) done[decision].push(id);
    else failed.push({ id, error: `${first[0]} could not be notified: ${first[1]}` });
  }
  return { ...done, unmatched: unmatched.map(({ id }) => id), failed };
}
