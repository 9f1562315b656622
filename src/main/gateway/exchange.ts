import { AppError, parseJson } from '../../kernel/index.js';
import {
  arrived,
  deadlineOf,
  decide,
  type Holding,
  type HoldingEffect,
  type HoldingInput,
  type HoldingLimits,
} from '../../protocols/failover/index.js';
import type { AppConnections, Kind } from './app-connections.js';
import type { Message } from './app-socket.js';
import { outcomeUnknown } from '../../protocols/replication/index.js';
import { Attempt, type AttemptEvents } from './attempt.js';
import type { ClientSide } from './client-side.js';
import { reasonOf, undone } from './gateway-refusals.js';

/** A request that has arrived whole. */
export interface HeldRequest {
  readonly method: string;
  /** Called at the first sending; each sending has the same. `host`: of the app, for a client that names none. */
  readonly message: (host: string) => Message;
  /** Undefined for a read. */
  readonly key: string | undefined;
  readonly isKeyAdded: boolean;
  readonly kind: Kind;
}

export interface ExchangePorts {
  readonly limits: HoldingLimits;
  readonly nowMs: () => number;
  readonly app: {
    readonly current: AppConnections | undefined;
    suspect(app: AppConnections): void;
    refuse(app: AppConnections, reason: string): void;
    isStillActive(app: AppConnections): Promise<boolean>;
  };
  /** Called once, when the client has its answer, or is gone. */
  readonly over: (exchange: Exchange, outcome: Outcome) => void;
  /** The request is sent for the second or a later time. */
  readonly repeats: () => void;
}

export type Outcome = 'answered' | 'refused' | 'outcome_unknown' | 'cut_off' | 'client_gone';

/** With these a process may refuse because it is not active. */
const MAY_BE_INACTIVE: ReadonlySet<number> = new Set([421, 503, 504]);
const MAX_PROBLEM_BYTES = 64 * 1024;

/** One request of a client, until its answer: performs what `decide` of `protocols/failover` says. */
export class Exchange implements AttemptEvents {
  private holding: Holding;
  private attempt: Attempt | undefined;
  private attempts = 0;
  private message: Message | undefined;
  private outcome: Outcome = 'answered';
  readonly beganMs: number;

  constructor(
    private readonly request: HeldRequest,
    readonly client: ClientSide,
    private readonly ports: ExchangePorts,
  ) {
    this.beganMs = ports.nowMs();
    this.holding = arrived(request, this.beganMs);
  }

  get isHeld(): boolean {
    return this.holding.phase === 'held';
  }

  get method(): string {
    return this.request.method;
  }

  /** The status of the app's answer, or 0. */
  get status(): number {
    return this.attempt?.head?.status ?? 0;
  }

  get deadlineMs(): number {
    return deadlineOf(this.holding, this.ports.limits);
  }

  /** Goes to the active process, if there is one and it has not got the request yet. */
  lookForActive(): void {
    if (this.client.isGone) this.clientGone();
    const { current } = this.ports.app;
    if (current && this.isHeld) this.take({ type: 'active', process: current.number, nowMs: this.ports.nowMs() });
  }

  clientGone(): void {
    this.outcome = 'client_gone';
    this.take({ type: 'client-gone' });
  }

  timePassed(): void {
    this.take({ type: 'time', nowMs: this.ports.nowMs() });
  }

  stop(): void {
    this.take({ type: 'stop' });
  }

  isCurrent(attempt: Attempt): boolean {
    return this.attempt === attempt;
  }

  sent(): void {
    this.take({ type: 'sent' });
  }

  answerBegins(): void {
    this.take({ type: 'answer-begins' });
  }

  answerEnds(): void {
    this.take({ type: 'answered' });
  }

  answered(attempt: Attempt): void {
    const { head, length } = attempt;
    const isDoubtful = head !== undefined && MAY_BE_INACTIVE.has(head.status) && length <= MAX_PROBLEM_BYTES;
    if (isDoubtful) this.judge(attempt);
    else this.pass(attempt);
  }

  failed(attempt: Attempt): void {
    this.lose(attempt);
  }

  /** A process that was active when it got the request may have ceased to be, and tells so by a refusal. */
  private judge(attempt: Attempt): void {
    const { app } = attempt;
    const { code = '', detail } = problemIn(attempt);
    switch (code) {
      case 'shutting-down':
      case 'superseded':
      case 'misdirected':
        this.ports.app.refuse(app, detail ?? code);
        this.notActive();
        return;
      case 'not-ready':
      case 'outcome-unknown': {
        const isUndone = code === 'not-ready';
        void this.ports.app.isStillActive(app).then((isActive) => {
          if (!this.isCurrent(attempt)) return;
          if (isActive) this.pass(attempt);
          else if (isUndone) this.leave(app);
          else this.lose(attempt);
        });
        return;
      }
      default:
        this.pass(attempt);
    }
  }

  private pass({ head, chunks, length }: Attempt): void {
    if (head) this.client.send(head, chunks, length);
    this.take({ type: 'answered' });
  }

  private lose({ app }: Attempt): void {
    this.attempt = undefined;
    this.take({ type: 'lost', nowMs: this.ports.nowMs() });
    this.ports.app.suspect(app);
    this.lookForActive();
  }

  private leave(app: AppConnections): void {
    this.ports.app.suspect(app);
    this.notActive();
  }

  private notActive(): void {
    this.attempt = undefined;
    this.take({ type: 'not-active', nowMs: this.ports.nowMs() });
    this.lookForActive();
  }

  private take(input: HoldingInput): void {
    const wasOver = this.holding.phase === 'over';
    const { holding, effects } = decide(this.holding, input, this.ports.limits);
    this.holding = holding;
    for (const effect of effects) this.perform(effect);
    if (!wasOver && holding.phase === 'over') this.ports.over(this, this.outcome);
  }

  private perform(effect: HoldingEffect): void {
    switch (effect.type) {
      case 'forward':
        this.forward();
        return;
      case 'abort': {
        const { attempt } = this;
        this.attempt = undefined;
        attempt?.abort();
        return;
      }
      case 'refuse':
        this.outcome = 'refused';
        this.client.refuse(undone(effect.why, this.ports.limits));
        return;
      case 'tell-unknown': {
        this.outcome = 'outcome_unknown';
        const { isKeyAdded } = this.request;
        const error = outcomeUnknown(reasonOf(effect.why, this.ports.limits), effect.key, isKeyAdded);
        this.client.refuse(error, { 'idempotency-key': effect.key });
        return;
      }
      case 'cut-off':
        this.outcome = 'cut_off';
        this.client.cutOff();
    }
  }

  private forward(): void {
    const { current } = this.ports.app;
    if (!current) throw new AppError('internal', 'no process is active', { retry: 'safe' });
    if ((this.attempts += 1) > 1) this.ports.repeats();
    this.message ??= this.request.message(current.host);
    this.attempt = new Attempt(current, this.message, this.client, this);
    current.send(this.request.kind, this.attempt);
  }
}

function problemIn({ chunks, length }: Attempt): { readonly code?: string; readonly detail?: string } {
  try {
    return parseJson(Buffer.concat(chunks, length).toString()) as { code?: string; detail?: string };
  } catch {
    return {};
  }
}
