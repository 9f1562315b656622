import { AppError, type Clock, type CrashSites, isPlainKey, type Log, type Timers } from '../../../kernel/index.js';
import type { LastResource, Participant, TransactionHead, TransactionId } from '../ports.js';
import { Recovery } from './recovery.js';
import type { Resolution } from './resolution.js';
import type { Branch, RecoveryReport, TransactionOutcome, TransactionRequest, TransactionView } from './transaction.js';
import { type EndedTransaction, TransactionHistory } from './transaction-record.js';
import { TransactionRun } from './transaction-run.js';
import { UnderWay } from './under-way.js';

export interface TransactionPorts<Work> {
  /** All that may ever take part, each under a name of its own: recovery asks them all. */
  readonly participants: readonly Participant<never>[];
  readonly lastResource: LastResource<Work, unknown>;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  readonly crashSites: CrashSites;
  /** Time-ordered and unique for ever. */
  readonly newId: () => TransactionId;
  /** Told of each transaction that has ended, committed or aborted, in this incarnation of the process. */
  readonly ended?: (transaction: EndedTransaction) => void;
}

export interface TransactionOptions {
  /** For all participants to promise; a tenth longer at most. */
  readonly prepareDeadlineMs: number;
  /** For the client to be answered, from the beginning; a tenth longer at most. */
  readonly answerDeadlineMs: number;
  /** From when on recovery decides what somebody should be deciding. */
  readonly inDoubtAfterMs: number;
}

/**
 * Transactions over participants and one last resource: in all of them or in none, whatever process dies and whenever.
 * They share nothing but the stores: N that are begun in one turn ask for their promises in that turn.
 */
export class TransactionCoordinator<Work> {
  private readonly participants = new Map<string, Participant<never>>();
  private readonly underWay: UnderWay<TransactionRun<Work>>;
  private readonly history: TransactionHistory;
  private readonly recovery: Recovery;
  private whenIdle: (() => void)[] = [];
  /** Recoveries and operators, one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ports: TransactionPorts<Work>,
    options: TransactionOptions,
  ) {
    for (const participant of ports.participants) {
      if (!isPlainKey(participant.name)) {
        const named = JSON.stringify(participant.name);
        throw new Error(`A participant is named ${named}: a name has no quote, backslash or control character.`);
      }
      if (this.participants.has(participant.name)) throw new Error(`Two participants are named ${participant.name}.`);
      this.participants.set(participant.name, participant);
    }
    this.history = new TransactionHistory(ports.ended ?? (() => undefined));
    const { prepareDeadlineMs, answerDeadlineMs, inDoubtAfterMs } = options;
    this.underWay = new UnderWay(ports.timers, prepareDeadlineMs, answerDeadlineMs);
    this.recovery = new Recovery(ports, this.history, this.underWay, inDoubtAfterMs);
  }

  /**
   * Resolves when the work is committed everywhere, or with what is known at the answer's deadline. Rejects when nothing
   * is written anywhere and nothing will be, with the reason of whoever refused; or with `outcome-unknown`.
   */
  execute<Result>(request: TransactionRequest<Work>): Promise<TransactionOutcome<Result>> {
    return new Promise<TransactionOutcome<unknown>>((resolve, reject) => {
      this.assertParticipants(request.branches);
      const { id: decidedBy, incarnation } = this.ports.lastResource;
      const head: TransactionHead = { id: this.ports.newId(), kind: request.kind, decidedBy, incarnation };
      const run = new TransactionRun(head, request, this.ports, { resolve, reject }, () => {
        this.underWay.delete(slot);
        this.history.keep(run.record);
        if (this.underWay.size === 0) for (const settle of this.whenIdle.splice(0)) settle();
      });
      const slot = this.underWay.add(run);
      run.begin();
    }) as Promise<TransactionOutcome<Result>>;
  }

  /**
   * Decides and carries out all that an earlier incarnation left; to be awaited before anything is read or begun. `unmatched`:
   * named by a recovery from replicas. Rejects with `recovery-needed`, having changed nothing, when one store is
   * an older copy.
   */
  recoverAtStart(unmatched: readonly TransactionId[] = []): Promise<RecoveryReport> {
    return this.inTurn(() => this.recovery.atStart(unmatched));
  }

  /**
   * Decides and carries out what nobody here is deciding, or for too long. Rejects when a participant cannot say what is
   * in doubt there, or the rows cannot be read; what cannot be written or told is in the report.
   */
  recoverNow(): Promise<RecoveryReport> {
    return this.inTurn(() => this.recovery.now());
  }

  /** Recovers by itself until the returned function is called. */
  keepRecovering(): () => void {
    return this.recovery.keepSweeping((sweep) => this.inTurn(sweep));
  }

  /**
   * Decides what a person has to. Resolves when the decision is durable and all that can be reached have been told it.
   * Rejects with `not-found`, or `conflict`: it is under way, or decided otherwise, or this database decides it.
   */
  resolve(id: TransactionId, decision: Resolution['decision'], who: Pick<Resolution, 'by' | 'reason'>): Promise<void> {
    return this.inTurn(async () => {
      if (this.underWay.find(id)) {
        throw new AppError('conflict', `Transaction ${id} is under way.`, { retry: 'safe', retryAfterSeconds: 1 });
      }
      await this.recovery.resolve({ ...who, id, decision });
    });
  }

  /** Of this incarnation: the last thousand that ended, then all that have not. */
  live(): readonly TransactionView[] {
    const underWay = [...this.underWay].map(({ record }) => record);
    return [...this.history.all(), ...underWay].map((record) => record.view());
  }

  /** Of this incarnation; undefined also when it ended long ago. */
  find(id: TransactionId): TransactionView | undefined {
    return (this.underWay.find(id)?.record ?? this.history.find(id))?.view();
  }

  /**
   * Resolves when no transaction is under way any more, and no recovery, or `withinMs` later: what is left then is found
   * by the next incarnation. Nothing may be begun meanwhile.
   */
  async drained(withinMs: number): Promise<void> {
    const isIdle = this.underWay.size === 0;
    const idle = isIdle ? Promise.resolve() : new Promise<void>((settle) => this.whenIdle.push(settle));
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((settle) => {
      cancel = this.ports.timers.after(withinMs, settle);
    });
    await Promise.race([Promise.all([idle, this.turn]), late]);
    cancel();
  }

  private assertParticipants(branches: readonly Branch[]): void {
    const names = branches.map(({ participant }) => participant.name);
    if (new Set(names).size < names.length) throw new Error(`A participant takes part twice: ${names.join(', ')}.`);
    const stranger = branches.find(({ participant }) => this.participants.get(participant.name) !== participant);
    if (stranger) throw new Error(`Recovery does not know ${stranger.participant.name}.`);
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.turn.then(task);
    this.turn = result.catch(() => undefined);
    return result;
  }
}
