import { createHash, createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type OperationLedger, type OperationRecord, type OperationStamp } from '../../kernel/index.js';
import { isReading } from './access.js';
import { sendAnswer } from './answers.js';
import { type CommitConfirmer, confirmedAnswer } from './commit-confirmation.js';
import { STATUS_OF } from './status.js';
import { writeConcernOf } from './write-concern.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for every request that may write, before its body is validated. */
    operation: OperationStamp | undefined;
  }
}

interface UnderWay {
  readonly bodyHmac: string;
  readonly answered: Promise<void>;
  readonly markAnswered: () => void;
}

interface IdempotencyGateOptions {
  readonly ledgers: readonly OperationLedger[];
  /** Key of the HMAC over request bodies. Must survive restarts, or replays are taken for other requests. */
  readonly hmacKey: Uint8Array;
  readonly newOperationId: () => string;
  /** A repeated write waits for its write concern like the first. */
  readonly confirmer: CommitConfirmer;
}

const PRINTABLE_KEY = /^[\x20-\x7e]{1,255}$/;

/**
 * Gives every write its operation, and sees to it that one Idempotency-Key takes effect once: a second request with
 * the key waits while the first is under way, and then gets the recorded answer. Looked up before validation,
 * preconditions and existence are checked, as those could answer differently the second time.
 */
export class IdempotencyGate {
  private readonly underWay = new Map<string, UnderWay>();

  constructor(private readonly options: IdempotencyGateOptions) {}

  install(fastify: FastifyInstance): void {
    fastify.decorateRequest('operation', undefined);
    fastify.addHook('preHandler', (request, reply, done) => {
      if (isReading(request.method)) {
        done();
        return;
      }
      const key = request.headers['idempotency-key'];
      if (key === undefined) {
        request.operation = { id: this.options.newOperationId() };
        done();
        return;
      }
      this.admit(request, reply, key).then((isReplayed) => {
        if (!isReplayed) done();
      }, done);
    });
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const mayBeDone = reply.statusCode < 300 || reply.statusCode === STATUS_OF['outcome-unknown'];
      if (request.operation && mayBeDone) reply.header('x-operation-id', request.operation.id);
      const scope = request.operation?.scope;
      if (scope !== undefined) {
        this.underWay.get(scope)?.markAnswered();
        this.underWay.delete(scope);
      }
      done(null, payload);
    });
  }

  /** True when the request has been answered with what its first sending was answered with. */
  private async admit(request: FastifyRequest, reply: FastifyReply, key: string | string[]): Promise<boolean> {
    if (typeof key !== 'string' || !PRINTABLE_KEY.test(key)) {
      const message = 'must be 1 to 255 printable ASCII characters';
      throw new AppError('validation-failed', `Idempotency-Key ${message}`, {
        retry: 'never',
        fields: [{ field: 'Idempotency-Key', message }],
      });
    }
    const scope = scopeOf(request, key);
    const bodyHmac = createHmac('sha256', this.options.hmacKey)
      .update(request.rawBody ?? '')
      .digest('base64url');
    for (let first = this.underWay.get(scope); first; first = this.underWay.get(scope)) {
      assertSameBody(first.bodyHmac, bodyHmac);
      await first.answered;
    }
    const finished = this.find(scope);
    if (finished) {
      assertSameBody(finished.bodyHmac, bodyHmac);
      const concern = writeConcernOf(request);
      const answer = await confirmedAnswer(finished.answer, finished.id, concern, this.options.confirmer);
      sendAnswer(reply.headers({ 'idempotency-replayed': 'true', 'x-operation-id': finished.id }), answer);
      return true;
    }
    const { promise, resolve } = deferred();
    this.underWay.set(scope, { bodyHmac, answered: promise, markAnswered: resolve });
    request.operation = { id: this.options.newOperationId(), scope, bodyHmac };
    return false;
  }

  private find(scope: string): OperationRecord | undefined {
    for (const ledger of this.options.ledgers) {
      const found = ledger.findByScope(scope);
      if (found) return found;
    }
    return undefined;
  }
}

/** The stamp of a request that passed the gate. */
export function operationOf(request: FastifyRequest): OperationStamp {
  if (request.operation === undefined) throw new Error('this route is not a write');
  return request.operation;
}

/** Of fixed length, so that neither long paths nor long keys make records long. */
function scopeOf(request: FastifyRequest, key: string): string {
  const path = request.url.replace(/\?.*$/, '').replace(/\/$/, '');
  return createHash('sha256')
    .update(JSON.stringify([request.caller, request.method, path, key]))
    .digest('base64url');
}

function assertSameBody(first: string | undefined, second: string): void {
  if (first === second) return;
  throw new AppError('idempotency-key-reused', 'this Idempotency-Key was sent before with another body', {
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
