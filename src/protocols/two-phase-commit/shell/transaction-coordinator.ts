import { AppError, type Clock, type CrashSites, isPlainKey, type Log, type Timers } from '../../../kernel/index.js';
import type { LastResource, Participant, TransactionHead, TransactionId } from '../ports.js';
import { Recovery } from './recovery.js';
import type { Resolution } from './resolution.js';
import type { Branch, RecoveryReport, TransactionOutcome, TransactionRequest, TransactionView } from './transaction.js';
import { type EndedTransaction, TransactionHistory } from './transaction-record.js';
import { TransactionRun } from './transaction-run.js';
import { UnderWay } from './under-way.js';

export interface TransactionPorts<Work> {
  /** All possible participants, each under a unique name: recovery asks every one. */
  readonly participants: readonly Participant<never>[];
  readonly lastResource: LastResource<Work, unknown>;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  readonly crashSites: CrashSites;
  /** Time-ordered and unique for ever. */
  readonly newId: () => TransactionId;
  /** Receives each transaction that has ended, committed or aborted, in this incarnation of the process. */
  readonly ended?: (transaction: EndedTransaction) => void;
}

export interface TransactionOptions {
  /** Limit for all participants to promise; a tenth longer at most. */
  readonly prepareDeadlineMs: number;
  /** Limit for the answer to the client, from the beginning; a tenth longer at most. */
  readonly answerDeadlineMs: number;
  /** After this time recovery decides a transaction that another process should be deciding. */
  readonly inDoubtAfterMs: number;
}

/**
 * Transactions over participants and one last resource commit in all of them or in none, whatever process dies and whenever. They
 * share only the stores: N transactions begun in one turn ask for their promises in that turn.
 */
export class TransactionCoordinator<Work> {
  private readonly participants = new Map<string, Participant<never>>();
  private readonly underWay: UnderWay<TransactionRun<Work>>;
  private readonly history: TransactionHistory;
  private readonly recovery: Recovery;
  private whenIdle: (() => void)[] = [];
  /** Serialises recoveries and operators. */
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
   * Resolves when the work is committed everywhere, or with what is known at the answer's deadline. Rejects with the reason of
   * the refusal when nothing is or will be written anywhere; or with `outcome-unknown`.
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
   * Decides and carries out everything that an earlier incarnation left. Await it before anything is read or begun. A recovery
   * from replicas names the `unmatched`. Rejects with `recovery-needed` and changes nothing when one store is an older copy.
   */
  recoverAtStart(unmatched: readonly TransactionId[] = []): Promise<RecoveryReport> {
    return this.inTurn(() => this.recovery.atStart(unmatched));
  }

  /**
   * Decides and carries out what no run in this process decides, or what takes too long. Rejects when a participant cannot list
   * its in-doubt transactions, or the rows cannot be read. The report names what cannot be written or sent.
   */
  recoverNow(): Promise<RecoveryReport> {
    return this.inTurn(() => this.recovery.now());
  }

  /** Recovers periodically until the returned function is called. */
  keepRecovering(): () => void {
    return this.recovery.keepSweeping((sweep) => this.inTurn(sweep));
  }

  /**
   * Carries out a person's decision. Resolves when it is durable and all reachable participants have been notified of it. Rejects
   * with `not-found`, or with `conflict` when it is under way, decided otherwise, or this database decides it.
   */
  resolve(id: TransactionId, decision: Resolution['decision'], who: Pick<Resolution, 'by' | 'reason'>): Promise<void> {
    return this.inTurn(async () => {
      if (this.underWay.find(id)) {
        throw new AppError('conflict', `Transaction ${id} is under way.`, { retry: 'safe', retryAfterSeconds: 1 });
      }
      await this.recovery.resolve({ ...who, id, decision });
    });
  }

  /** The transactions of this incarnation: the last thousand that ended, then all that have not. */
  live(): readonly TransactionView[] {
    const underWay = [...this.underWay].map(({ record }) => record);
    return [...this.history.all(), ...underWay].map((record) => record.view());
  }

  /** Searches this incarnation; undefined also when the transaction ended long ago. */
  find(id: TransactionId): TransactionView | undefined {
    return (this.underWay.find(id)?.record ?? this.history.find(id))?.view();
  }

  /** Resolves when nothing is under way, or after `withinMs`; the next incarnation finds the rest. Begin nothing meanwhile. */
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
