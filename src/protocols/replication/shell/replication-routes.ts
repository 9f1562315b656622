import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError, type CopyableHistory, isAppError } from '../../../kernel/index.js';
import { answerProblems, mayArriveSlowly } from '../../../platform/http/index.js';
import type { ReplicaAnswer } from '../messages.js';
import type { ReplicaShell } from './replica-shell.js';
import { isAuthorized } from './replication-authorization.js';
import {
  APPEND_LIMIT_BYTES,
  decodeAppend,
  decodeInstall,
  decodePromise,
  decodeQuarantine,
  encodeAnswer,
  encodePosition,
  encodeRecords,
  encodeReport,
  encodeStateHash,
  INSTALL_HEADER,
  NDJSON,
  POSITION_HEADER,
  REPLICATION_PATHS,
} from './wire.js';

export interface ReplicationRoutesOptions {
  readonly shell: ReplicaShell;
  readonly history: Pick<CopyableHistory, 'readFrom' | 'openSnapshot'>;
  /** The header that callers must send; undefined while this process does not know the cluster's secret. */
  readonly authorization: () => string | undefined;
  readonly logger: Logger;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES_TYPE = 'application/octet-stream';
/** A snapshot that sends nothing for this long is given up. */
const SNAPSHOT_IDLE_MS = 10_000;
const SNAPSHOT_WITHIN_MS = 600_000;
const WHOLE_NUMBER = /^\d{1,15}$/;

/** The internal routes have their own context: they are hot paths, accept only the cluster's secret, and take any body type. */
export async function serveReplication(server: FastifyInstance, options: ReplicationRoutesOptions): Promise<void> {
  await server.register(async (context) => {
    answerProblems(context, options.logger);
    let isWarned = false;
    context.addHook('onRequest', (request, _reply, next) => {
      const refusal = refusalOf(request, options.authorization());
      if (refusal?.code === 'unauthorized' && !isWarned) {
        isWarned = true;
        options.logger.warn({ from: request.ip }, 'refused a call without the cluster secret of this process');
      }
      next(refusal);
    });
    serveMessages(context, options);
    serveQuestions(context, options);
    await context.register((inner) => serveInstall(inner, options));
  });
}

function serveMessages(context: FastifyInstance, { shell }: ReplicationRoutesOptions): void {
  context.removeAllContentTypeParsers();
  context.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: APPEND_LIMIT_BYTES }, (_request, body, done) => {
    done(null, body);
  });
  const settings = { config: { permission: 'cluster' }, bodyLimit: APPEND_LIMIT_BYTES } as const;
  context.post(REPLICATION_PATHS.append, settings, async (request, reply) =>
    answer(reply, await shell.append(decodeAppend(bytesOf(request)))),
  );
  context.post(REPLICATION_PATHS.setAside, settings, async (request, reply) =>
    answer(reply, await shell.quarantine(decodeQuarantine(bytesOf(request)).from)),
  );
  context.post(REPLICATION_PATHS.promise, settings, async (request, reply) =>
    answer(reply, await shell.promise(decodePromise(bytesOf(request)).from)),
  );
}

async function serveInstall(context: FastifyInstance, { shell }: ReplicationRoutesOptions): Promise<void> {
  context.removeAllContentTypeParsers();
  context.addContentTypeParser('*', (_request, payload, done) => {
    done(null, payload);
  });
  context.post(REPLICATION_PATHS.install, { config: { permission: 'cluster' } }, async (request, reply) => {
    const message = decodeInstall(String(request.headers[INSTALL_HEADER]));
    const { body } = request;
    mayArriveSlowly(request, reply);
    request.raw.setTimeout(SNAPSHOT_IDLE_MS, () => request.raw.destroy());
    const late = setTimeout(() => request.raw.destroy(), SNAPSHOT_WITHIN_MS);
    reply.raw.once('close', () => {
      clearTimeout(late);
    });
    if (!isStream(body)) throw malformed('the snapshot is missing');
    return answer(reply, await shell.install(message, body).catch(asMalformed));
  });
}

function serveQuestions(context: FastifyInstance, { shell, history }: ReplicationRoutesOptions): void {
  const settings = { config: { permission: 'cluster' } } as const;
  context.get(REPLICATION_PATHS.report, settings, (_request, reply) =>
    reply.header('content-type', JSON_TYPE).send(encodeReport(shell.report())),
  );
  context.get(REPLICATION_PATHS.records, settings, async (request, reply) => {
    const query = request.query as Readonly<Record<string, unknown>>;
    const after = wholeNumber('after', query['after']);
    const limit =
      query['limit-bytes'] === undefined ? APPEND_LIMIT_BYTES : wholeNumber('limit-bytes', query['limit-bytes']);
    const records = await history.readFrom(after + 1, Math.min(limit, APPEND_LIMIT_BYTES));
    if (records === 'gone') return reply.code(410).header('content-type', JSON_TYPE).send('{}');
    return reply.header('content-type', NDJSON).send(encodeRecords(records));
  });
  context.get(REPLICATION_PATHS.snapshot, settings, async (_request, reply) => {
    const snapshot = await history.openSnapshot();
    if (!snapshot) throw new AppError('not-found', 'this process has no snapshot', { retry: 'safe' });
    const { position, sizeBytes, chunks } = snapshot;
    reply.raw.once('close', () => void snapshot.close());
    reply.headers({
      'content-type': BYTES_TYPE,
      'content-length': String(sizeBytes),
      [POSITION_HEADER]: encodePosition(position),
    });
    return reply.send(Readable.from(chunks));
  });
  context.get(REPLICATION_PATHS.stateHash, settings, async (request, reply) => {
    const { seq } = request.query as Readonly<Record<string, unknown>>;
    const found = await shell.stateHash(seq === undefined ? undefined : wholeNumber('seq', seq));
    if (!found) throw new AppError('not-found', 'no state hash was kept at that position', { retry: 'safe' });
    return reply.header('content-type', JSON_TYPE).send(encodeStateHash(found));
  });
}

function refusalOf(request: FastifyRequest, expected: string | undefined): AppError | undefined {
  if (expected === undefined) {
    return new AppError('not-ready', 'this process does not know the cluster secret yet', { retry: 'safe' });
  }
  if (isAuthorized(request.headers.authorization, expected)) return undefined;
  return new AppError('unauthorized', 'this route needs the cluster secret', { retry: 'never' });
}

function answer(reply: FastifyReply, given: ReplicaAnswer): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(encodeAnswer(given));
}

function bytesOf({ body }: FastifyRequest): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw malformed('the message is missing');
}

/** The sender's snapshot is damaged, not the data here. */
function asMalformed(error: unknown): never {
  if (!isAppError(error, 'data-corrupt')) throw error;
  throw new AppError('malformed-request', error.message, { retry: 'never', cause: error });
}

function isStream(body: unknown): body is AsyncIterable<Buffer> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function wholeNumber(name: string, value: unknown): number {
  if (typeof value === 'string' && WHOLE_NUMBER.test(value)) return Number(value);
  throw malformed(`${name} must be a whole number`);
}

function malformed(detail: string): AppError {
  return new AppError('malformed-request', detail, { retry: 'never' });
}
