import { type Clock, type CrashSites, isAppError, type Log } from '../../../kernel/index.js';
import {
  beginTransaction,
  type CoordinatorAnswer,
  type CoordinatorDecision,
  type CoordinatorEffect,
  type CoordinatorInput,
  type CoordinatorState,
  decideCoordinator,
  positionsOf,
} from '../core/coordinator.js';
import type { Decision, DecisionDetails, LastResource, Acknowledgement, TransactionHead } from '../ports.js';
import { errorOf } from './error-of.js';
import type { Branch, TransactionOutcome, TransactionRequest } from './transaction.js';
import { TransactionRecord } from './transaction-record.js';

export interface RunPorts<Work> {
  readonly lastResource: LastResource<Work, unknown>;
  readonly clock: Clock;
  readonly log: Log;
  readonly crashSites: CrashSites;
}

/** The client's answer, given once. */
export interface RunAnswer {
  resolve(outcome: TransactionOutcome<unknown>): void;
  reject(error: Error): void;
}

/** One transaction under way: carries out what core/coordinator.ts decides. It waits for no other transaction. */
export class TransactionRun<Work> {
  readonly record: TransactionRecord;
  private state: CoordinatorState;
  private readonly begun: CoordinatorDecision;
  private readonly begunAtMs: number;
  private result: unknown;
  private markEnded: () => void = () => undefined;

  constructor(
    readonly head: TransactionHead,
    private readonly request: TransactionRequest<Work>,
    private readonly ports: RunPorts<Work>,
    private readonly client: RunAnswer,
    private readonly isOver: () => void,
  ) {
    this.begunAtMs = ports.clock.nowMs();
    this.begun = beginTransaction(request.branches.map(({ participant }) => participant.name));
    this.state = this.begun.state;
    this.record = new TransactionRecord(head.id, head.kind, ports.clock, this.state, request.operationId);
  }

  /** All participants have been asked when it returns. */
  begin(): void {
    this.carryOut(this.begun);
  }

  prepareOverdue(afterMs: number): void {
    if (this.state.state === 'preparing') this.record.note('overdue');
    this.handle({ kind: 'prepare-overdue', afterMs });
  }

  answerOverdue(): void {
    this.handle({ kind: 'answer-overdue' });
  }

  private handle(input: CoordinatorInput): void {
    this.carryOut(decideCoordinator(this.state, input));
  }

  private carryOut({ state, effects }: CoordinatorDecision): void {
    this.state = state;
    this.record.update(state);
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case 'prepare':
        void this.prepare(this.branchOf(effect.participant));
        break;
      case 'ask-commit':
        void this.askCommit();
        break;
      case 'ask-abort':
        void this.askAbort(effect.reason.message);
        break;
      case 'notify':
        void this.notify(this.branchOf(effect.participant), effect.decision);
        break;
      case 'complete':
        this.record.note('completed');
        this.ports.lastResource.completed(this.head.id, effect.acknowledgements);
        break;
      case 'answer':
        this.answer(effect.answer);
        break;
      case 'forget':
        this.sayHowItEnded();
        this.isOver();
        this.markEnded();
        break;
    }
  }

  private async prepare({ participant, prepare }: Branch): Promise<void> {
    const { name } = participant;
    this.record.note('prepare', name);
    let input: CoordinatorInput;
    try {
      this.ports.crashSites.reach('2pc.prepare.before');
      const vote = await prepare(this.head);
      this.ports.crashSites.reach('2pc.prepare.after');
      if (vote.vote === 'yes') this.record.note('promised', name, vote.position);
      else this.record.note('refused', name, vote.reason.message);
      input = { kind: 'voted', participant: name, vote };
    } catch (reason) {
      const error = errorOf(reason);
      this.record.note('uncertain', name, error.message);
      input = { kind: 'prepare-failed', participant: name, error };
    }
    this.handle(input);
  }

  private async askCommit(): Promise<void> {
    this.record.note('decide');
    let input: CoordinatorInput;
    try {
      this.ports.crashSites.reach('2pc.decide.before');
      const decided = await this.ports.lastResource.commit(this.details(), this.request.decide);
      this.ports.crashSites.reach('2pc.decide.after');
      if (decided.decision === 'committed') this.result = decided.result;
      input = this.decided(decided.decision);
    } catch (reason) {
      input = this.undecided(errorOf(reason));
    }
    this.handle(input);
  }

  private async askAbort(reason: string): Promise<void> {
    this.record.note('veto', undefined, reason);
    let input: CoordinatorInput;
    try {
      this.ports.crashSites.reach('2pc.veto.before');
      const rows = await this.ports.lastResource.abort([{ ...this.details(), reason }]);
      this.ports.crashSites.reach('2pc.veto.after');
      input = this.decided(rows.get(this.head.id) ?? 'aborted');
    } catch (error) {
      input = this.undecided(errorOf(error));
    }
    this.handle(input);
  }

  private async notify({ participant }: Branch, decision: Decision): Promise<void> {
    const { name } = participant;
    const { id, kind } = this.head;
    let input: CoordinatorInput;
    try {
      const acknowledgement =
        decision === 'committed' ? await this.commitAt(participant) : await this.abortAt(participant);
      this.record.note('told', name, acknowledgement.position);
      input = { kind: 'notified', participant: name, acknowledgement };
    } catch (reason) {
      const { message } = errorOf(reason);
      this.record.note('untold', name, message);
      this.ports.log.warn('a participant could not be notified of a decision', {
        ...{ transaction: id, kind, participant: name, decision, error: message },
      });
      input = { kind: 'notification-failed', participant: name };
    }
    this.handle(input);
  }

  private async commitAt(participant: Branch['participant']): Promise<Acknowledgement> {
    this.ports.crashSites.reach('2pc.commit.before');
    const acknowledgement = await participant.commit(this.head.id);
    this.ports.crashSites.reach('2pc.commit.after');
    return acknowledgement;
  }

  private async abortAt(participant: Branch['participant']): Promise<Acknowledgement> {
    this.ports.crashSites.reach('2pc.abort.before');
    const acknowledgement = await participant.abort(this.head.id);
    this.ports.crashSites.reach('2pc.abort.after');
    return acknowledgement;
  }

  private decided(decision: Decision): CoordinatorInput {
    this.record.note(decision);
    return { kind: 'decided', decision };
  }

  private undecided(error: Error): CoordinatorInput {
    const kind = isAppError(error, 'outcome-unknown') ? 'unknown' : 'refused';
    this.record.note(kind === 'unknown' ? 'outcome-unknown' : 'not-written', undefined, error.message);
    return { kind, error };
  }

  /** The fields are written out, because this is a hot path and copying the head costs more than the rest of it. */
  private details(): DecisionDetails {
    const { id, kind, decidedBy, incarnation } = this.head;
    const { operationId } = this.request;
    const { begunAtMs } = this;
    const preparedAtMs = this.ports.clock.nowMs();
    const positions = positionsOf(this.state);
    const by = 'coordinator';
    if (operationId === undefined) return { id, kind, decidedBy, incarnation, by, begunAtMs, preparedAtMs, positions };
    return { id, kind, decidedBy, incarnation, by, begunAtMs, preparedAtMs, positions, operationId };
  }

  private answer(answer: CoordinatorAnswer): void {
    const { id } = this.head;
    switch (answer.kind) {
      case 'committed':
        this.client.resolve({ state: 'committed', id, result: this.result, acknowledgements: answer.acknowledgements });
        break;
      case 'pending':
        this.client.resolve({ state: 'pending', id, result: this.result });
        break;
      case 'running':
        this.client.resolve({ state: 'running', id, ended: new Promise((settle) => (this.markEnded = settle)) });
        break;
      case 'rejected':
        this.client.reject(answer.error);
        break;
    }
  }

  /** Logs what an operator should know; a commit that went well is not part of it. */
  private sayHowItEnded(): void {
    const { state, reason, branches } = this.state;
    const { id, kind } = this.head;
    this.record.reason = reason?.message;
    if (state === 'in-doubt') {
      this.ports.log.warn('the outcome of a transaction is not known', { transaction: id, kind });
    } else if (reason && branches.some((branch) => branch.state !== 'refused')) {
      // The client, not the operator, has to act on a refusal of the request.
      const level = isAppError(reason) && reason.retry === 'never' ? 'info' : 'warn';
      const details = { transaction: id, kind, reason: reason.message };
      this.ports.log[level]('a transaction was aborted after a promise', details);
    }
  }

  private branchOf(name: string): Branch {
    const branch = this.request.branches.find(({ participant }) => participant.name === name);
    if (branch === undefined) throw new Error(`${name} has no part in transaction ${this.head.id}.`);
    return branch;
  }
}
