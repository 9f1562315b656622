import { createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  ADDED_KEY_RETENTION_MS,
  ADDED_KEYS,
  AppError,
  CLIENT_KEY_RETENTION_MS,
  type Clock,
  type HeldKeyCounts,
  type HeldKeys,
  type NextTurn,
  type OperationLedger,
  type OperationRecord,
  type OperationStamp,
  type Timers,
} from '../../kernel/index.js';
import { isReading } from './access.js';
import { acceptedAnswer, type Answer } from './answer.js';
import { sendAnswer } from './answers.js';
import { type CommitConfirmer, confirmedAnswer } from './commit-confirmation.js';
import { addressOf } from './callers.js';
import { keyOwnerOf } from './key-owner.js';
import { addHeldKeys, countHeldKeys, KeyQuota, tooManyKeys } from './key-quota.js';
import { malformedField } from './parameters.js';
import { earlierScopesOf, scopeOf } from './operation-scope.js';
import { RecentScopes } from './recent-scopes.js';
import { isPrintable, PRINTABLE_RULE } from './printable.js';
import { STATUS_OF } from './status.js';
import { writeConcernOf } from './write-concern.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for every request that may write, before its body is validated. */
    operation: OperationStamp | undefined;
    /** The operation that this request repeats, while it waits for that operation. */
    repeatedOperationId: string | undefined;
    /** Set when the answer comes before the write is over. */
    operationEnded: Promise<unknown> | undefined;
    /** True for a refusal with an operation record: a repeat with the key gets it again. */
    isAnswerKept: boolean;
  }
  interface FastifyContextConfig {
    /** Marks a route whose work has no operation record, because repeating it does no harm. */
    isUnrecorded?: true;
  }
}

interface UnderWay {
  readonly operationId: string;
  readonly owner: string;
  readonly bodyHmac: string;
  readonly answered: Promise<void>;
  readonly markAnswered: () => void;
  /** Set when the request was answered. Undefined: the work was over by then. */
  ended?: Promise<unknown> | undefined;
}

interface IdempotencyGateOptions {
  readonly ledgers: readonly OperationLedger<Answer>[];
  /** The key of the HMAC over request bodies. It must survive restarts, or replays look like different requests. */
  readonly hmacKey: Uint8Array;
  readonly newOperationId: () => string;
  /** A repeated write waits for its write concern like the first. */
  readonly confirmer: CommitConfirmer;
  readonly timers: Timers;
  readonly clock: Clock;
  /** A repeated write that is still not over after this many milliseconds is answered 202. */
  readonly answerDeadlineMs: number;
  /** How many keys of the last 24 hours one caller may hold; the next new key is refused. */
  readonly keysPerCaller: number;
  /** Whether a process of this system, not the client, added the key of a request. */
  readonly isKeyAdded: (request: FastifyRequest) => boolean;
  /** How many keys added in the last two minutes there may be; a request with one more waits. */
  readonly addedKeys?: number;
  /**
   * Whether the sender says that it made the added key while this incarnation of the app was active. No earlier one can have
   * recorded it, so the stores are asked only when this incarnation has met the key. Asked for added keys only.
   */
  readonly isMadeHere: (request: FastifyRequest) => boolean;
  /** A monotonic clock. */
  readonly monotonicMs: () => number;
}

const ADDED_KEYS_AT_MOST = 1_000_000;
/** At a full quota, room may come before the oldest key expires, when a write under way fails. */
const LOOK_AGAIN_MS = 50;

/**
 * Gives every write its operation, and ensures that one Idempotency-Key takes effect once: a second request with the key waits
 * while the first is under way, and then gets the recorded answer. A write answered 202 may still be under way. The lookup
 * precedes validation, preconditions and existence checks, which could answer differently the second time.
 */
export class IdempotencyGate {
  private readonly underWay = new Map<string, UnderWay>();
  private readonly ofCallers: KeyQuota;
  private readonly added: KeyQuota;
  /** Added keys that were made here and have arrived. */
  private readonly met: RecentScopes;

  constructor(private readonly options: IdempotencyGateOptions) {
    this.ofCallers = new KeyQuota(options.keysPerCaller, CLIENT_KEY_RETENTION_MS);
    this.added = new KeyQuota(options.addedKeys ?? ADDED_KEYS_AT_MOST, ADDED_KEY_RETENTION_MS);
    this.met = new RecentScopes(options.monotonicMs, ADDED_KEY_RETENTION_MS);
  }

  /** See `countHeldKeys`. */
  count(held: Iterable<HeldKeys>, nextTurn: NextTurn): Promise<void> {
    return countHeldKeys(held, (owner) => this.quotaOf(owner), nextTurn);
  }

  /** See `addHeldKeys`. */
  add(held: HeldKeyCounts, nextTurn: NextTurn): Promise<void> {
    return addHeldKeys(held, (owner) => this.quotaOf(owner), nextTurn);
  }

  install(fastify: FastifyInstance): void {
    fastify.decorateRequest('operation', undefined);
    fastify.decorateRequest('repeatedOperationId', undefined);
    fastify.decorateRequest('operationEnded', undefined);
    fastify.decorateRequest('isAnswerKept', false);
    fastify.addHook('preHandler', (request, reply, done) => {
      // When the handler finds no route, this hook runs again on a request that already holds its place.
      if (isReading(request.method) || request.operation) {
        done();
        return;
      }
      const key = request.headers['idempotency-key'];
      if (key === undefined) {
        request.operation = { id: this.options.newOperationId() };
        done();
        return;
      }
      this.admit(request, reply, key, this.options.answerDeadlineMs).then((isReplayed) => {
        if (!isReplayed) done();
      }, done);
    });
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const { statusCode } = reply;
      const mayBeDone = statusCode < 300 || statusCode === STATUS_OF['outcome-unknown'] || request.isAnswerKept;
      const isRecorded = request.routeOptions.config.isUnrecorded !== true;
      if (request.operation && mayBeDone && isRecorded) reply.header('x-operation-id', request.operation.id);
      if (request.operation?.scope !== undefined) {
        this.answered(request.operation.scope, request.operationEnded, mayBeDone && isRecorded);
      }
      done(null, payload);
    });
  }

  private answered(scope: string, ended: Promise<unknown> | undefined, holdsKey: boolean): void {
    const answered = this.underWay.get(scope);
    if (answered === undefined) return;
    const forget = (): void => {
      this.underWay.delete(scope);
      const { owner } = answered;
      const quota = this.quotaOf(owner);
      quota.release(owner);
      if (holdsKey) quota.add(owner, this.options.clock.nowMs());
    };
    if (ended === undefined) forget();
    else answered.ended = ended.then(forget, forget);
    answered.markAnswered();
  }

  /** True when the request has been answered with the answer to its first sending. */
  private async admit(
    request: FastifyRequest,
    reply: FastifyReply,
    key: string | string[],
    patienceMs: number,
  ): Promise<boolean> {
    if (!isPrintable(key)) throw malformedField('validation-failed', 'Idempotency-Key', PRINTABLE_RULE);
    const scope = scopeOf(request, key);
    const bodyHmac = createHmac('sha256', this.options.hmacKey)
      .update(request.rawBody ?? '')
      .digest('base64url');
    let running: UnderWay | undefined;
    // No await may follow this loop before the place is taken: another request could take it.
    for (let first = this.underWay.get(scope); first && !running; first = this.underWay.get(scope)) {
      assertSameBody(first.bodyHmac, bodyHmac);
      request.repeatedOperationId = first.operationId;
      await first.answered;
      if (!(await this.isOver(first))) running = first;
    }
    request.repeatedOperationId = undefined;
    const isAdded = this.options.isKeyAdded(request);
    const isMadeHere = isAdded && this.options.isMadeHere(request);
    const isNew = isMadeHere && !this.met.has(scope);
    const finished = isNew ? undefined : this.find([scope, ...earlierScopesOf(request, key)]);
    if (finished) {
      assertSameBody(finished.bodyHmac, bodyHmac);
      if (finished.ended) return this.join(request, reply, finished, () => this.admit(request, reply, key, patienceMs));
      const concern = writeConcernOf(request);
      request.repeatedOperationId = finished.id;
      const recorded = finished.answer ?? acceptedAnswer(finished.id, 'committed');
      const answer = await confirmedAnswer(recorded, finished.id, concern, this.options.confirmer);
      this.replay(reply, finished.id, answer);
      return true;
    }
    if (running) {
      this.replay(reply, running.operationId, acceptedAnswer(running.operationId, 'running'));
      return true;
    }
    const owner = isAdded ? ADDED_KEYS : keyOwnerOf({ caller: request.caller, ip: addressOf(request) });
    if (this.isFull(owner, patienceMs)) {
      await this.pause(LOOK_AGAIN_MS);
      return this.admit(request, reply, key, patienceMs - LOOK_AGAIN_MS);
    }
    if (isMadeHere) this.met.add(scope);
    this.quotaOf(owner).reserve(owner);
    const { promise, resolve } = deferred();
    const operationId = this.options.newOperationId();
    this.underWay.set(scope, { operationId, owner, bodyHmac, answered: promise, markAnswered: resolve });
    request.operation = { id: operationId, scope, bodyHmac, owner };
    return false;
  }

  /** Waits for an operation that goes on, although nobody here waits for its first request: looks again when it is over. */
  private async join(
    request: FastifyRequest,
    reply: FastifyReply,
    { id, ended }: Pick<OperationRecord<Answer>, 'id' | 'ended'>,
    lookAgain: () => Promise<boolean>,
  ): Promise<boolean> {
    request.repeatedOperationId = id;
    if (await this.isOver({ ended })) return lookAgain();
    this.replay(reply, id, acceptedAnswer(id, 'running'));
    return true;
  }

  private quotaOf(owner: string): KeyQuota {
    return owner === ADDED_KEYS ? this.added : this.ofCallers;
  }

  /** True when it is worth waiting for room. Throws where it is not. Nothing is ever forgotten to make room. */
  private isFull(owner: string, patienceMs: number): boolean {
    const quota = this.quotaOf(owner);
    const fullForMs = quota.fullFor(owner, this.options.clock.nowMs());
    if (fullForMs === undefined) return false;
    if (owner !== ADDED_KEYS) throw tooManyKeys(quota, fullForMs);
    if (patienceMs > 0) return true;
    const detail =
      'replicas forwarded too many writes without a key of the client in the last two minutes; nothing was written';
    throw new AppError('overloaded', detail, { retry: 'safe', retryAfterSeconds: Math.ceil(fullForMs / 1_000) });
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.timers.after(milliseconds, resolve);
    });
  }

  /** Waits until the request is over, at most as long as an answer may take. */
  private async isOver({ ended }: Pick<UnderWay, 'ended'>): Promise<boolean> {
    if (ended === undefined) return true;
    const { timers, answerDeadlineMs } = this.options;
    let cancel: () => void = () => undefined;
    const late = new Promise<false>((settle) => {
      cancel = timers.after(answerDeadlineMs, () => {
        settle(false);
      });
    });
    const isOver = await Promise.race([ended.then(() => true), late]);
    cancel();
    return isOver;
  }

  private replay(reply: FastifyReply, operationId: string, answer: Answer): void {
    sendAnswer(reply.headers(replayHeaders(operationId)), answer);
  }

  /** Undefined also when the key has expired, because a ledger without writes forgets nothing. */
  private find(scopes: readonly string[]): OperationRecord<Answer> | undefined {
    const { ledgers, clock } = this.options;
    for (const scope of scopes) {
      for (const ledger of ledgers) {
        const found = ledger.findByScope(scope);
        if (found && clock.nowMs() < found.atMs + CLIENT_KEY_RETENTION_MS) return found;
      }
    }
    return undefined;
  }
}

/** The headers of every answer to a repeat. */
export function replayHeaders(operationId: string): Readonly<Record<string, string>> {
  return { 'idempotency-replayed': 'true', 'x-operation-id': operationId };
}

/** The stamp of a request that passed the gate. */
export function operationOf(request: FastifyRequest): OperationStamp {
  if (request.operation === undefined) throw new Error('this route is not a write');
  return request.operation;
}

/** Combines the operation with the function that turns the write's outcome into the answer, to be recorded in its commit. */
export function recording<AnswerOf>(
  request: FastifyRequest,
  answerOf: AnswerOf,
): { readonly operation: OperationStamp; readonly answerOf: AnswerOf } {
  return { operation: operationOf(request), answerOf };
}

/** Announces that the answer comes before the write is over. Until `ended` settles, a repeat with the key is not a new write. */
export function goesOnAfterAnswer(request: FastifyRequest, ended: Promise<unknown>): void {
  request.operationEnded = ended;
}

function assertSameBody(first: string | undefined, second: string): void {
  if (first === second) return;
  throw new AppError('idempotency-key-reused', 'this Idempotency-Key was used before with a different body', {
    retry: 'never',
  });
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
