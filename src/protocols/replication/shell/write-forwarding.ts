import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ADDED_KEY_RETENTION_MS, AppError, isAppError } from '../../../kernel/index.js';
import {
  acceptedAnswer,
  ADDED_KEY_HEADER,
  CLUSTER_HEADER,
  commitOf,
  forwardedFor,
  JSON_CONTENT_TYPE,
  problemWithMessage,
  withoutOrigin,
} from '../../../platform/http/index.js';
import type { NodeAnswer, NodeCall, NodeClient } from '../../../platform/node-client/index.js';
import type { ReplicaShell } from './replica-shell.js';

export interface WriteForwardingOptions {
  /** Paths of the collections whose documents are written at the primary. */
  readonly paths: readonly string[];
  readonly shell: Pick<ReplicaShell, 'whenAt' | 'followed'>;
  readonly client: NodeClient;
  readonly newKey: () => string;
  /** A proof that only processes of this system know; undefined while this process does not know it. */
  readonly authorization: () => string | undefined;
  /** Limit for the whole write: at the primary and until the write arrives here. */
  readonly writeDeadlineMs: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

const KEY = 'idempotency-key';
/** Forwarding may take this much longer than the write itself. */
const FORWARDING_MS = 1_000;
const FORWARDED_HEADERS = [
  'if-match',
  'if-none-match',
  'x-write-concern',
  'x-api-key',
  'authorization',
  'content-type',
  'accept',
];
const RETURNED_HEADERS = [
  ...['content-type', 'location', 'etag', 'x-commit', 'x-replicas-acked', 'x-operation-id', 'idempotency-replayed'],
  ...['retry-after', 'www-authenticate'],
];

/** Forwards writes to the primary and answers once this replica holds them; also forwards questions about an operation. */
export function serveForwardedWrites(server: FastifyInstance, options: WriteForwardingOptions): void {
  const write = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    forwardWrite(request, reply, options);
  for (const path of options.paths) {
    server.post(path, write);
    server.put(`${path}/:id`, write);
    server.delete(`${path}/:id`, write);
  }
  server.get('/operations/:id', async (request, reply) => {
    const answer = await send(request, {}, options).catch((error: unknown) => {
      throw isAppError(error) ? primaryMissing(error.message) : error;
    });
    return answerWith(reply, answer);
  });
}

async function forwardWrite(
  request: FastifyRequest,
  reply: FastifyReply,
  options: WriteForwardingOptions,
): Promise<FastifyReply> {
  const { shell, writeDeadlineMs, nowMs } = options;
  const deadlineMs = nowMs() + writeDeadlineMs;
  const given = request.headers[KEY];
  const isAdded = typeof given !== 'string';
  const key = isAdded ? options.newKey() : given;
  // From here on this replica does not know the outcome at the primary.
  request.atStop = () => {
    reply.header(KEY, key);
    return outcomeUnknown('this replica is stopping', key, isAdded);
  };
  const proof = isAdded ? options.authorization() : undefined;
  const answer = await send(
    request,
    { [KEY]: key, ...(proof !== undefined && { [ADDED_KEY_HEADER]: proof }) },
    options,
  ).catch((error: unknown) => {
    if (!isAppError(error)) throw error;
    if (error.retry === 'safe') throw primaryMissing(error.message);
    reply.header(KEY, key);
    throw outcomeUnknown(`the primary: ${error.message}`, key, isAdded);
  });
  const operationId = String(answer.headers['x-operation-id']);
  if (answer.status < 300) request.atStop = () => acceptedAnswer(operationId, 'committed');
  const commit = commitOf(answer.headers['x-commit']);
  if (!commit || answer.status >= 400 || (await shell.whenAt(commit, Math.max(0, deadlineMs - nowMs())))) {
    return answerWith(reply, answer);
  }
  return answerWith(reply, notHereYet(answer));
}

async function send(
  request: FastifyRequest,
  more: Readonly<Record<string, string>>,
  { shell, client, authorization, writeDeadlineMs }: WriteForwardingOptions,
): Promise<NodeAnswer> {
  const { followed } = shell;
  if (!followed) throw new AppError('not-ready', 'this replica has not heard from a primary yet', { retry: 'safe' });
  const proof = authorization();
  const headers = {
    ...picked(request.headers, FORWARDED_HEADERS),
    ...more,
    ...(proof !== undefined && { [CLUSTER_HEADER]: proof, ...forwardedFor(request) }),
    'x-request-id': request.id,
  };
  const path = withoutOrigin(request.url);
  const call = { method: request.method as NodeCall['method'], path, headers, body: request.rawBody };
  // The call is repeatable, because it carries an Idempotency-Key or changes nothing.
  return client.call(followed.url, { ...call, isRepeatable: true }, writeDeadlineMs + FORWARDING_MS);
}

function answerWith(reply: FastifyReply, answer: NodeAnswer): FastifyReply {
  reply.code(answer.status).headers(picked(answer.headers, RETURNED_HEADERS));
  if (answer.body.length === 0) return reply.send();
  return reply.send(answer.status < 400 ? answer.body : Buffer.from(problemWithMessage(answer.body.toString())));
}

/** The write is durable at the primary under its write concern, and on its way to this replica. */
function notHereYet(answer: NodeAnswer): NodeAnswer {
  const accepted = acceptedAnswer(String(answer.headers['x-operation-id']), 'committed');
  const { etag: _etag, ...headers } = answer.headers;
  return {
    status: accepted.status,
    headers: { ...headers, 'content-type': JSON_CONTENT_TYPE, ...accepted.headers },
    body: Buffer.from(accepted.body ?? ''),
  };
}

function picked(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function primaryMissing(reason: string): AppError {
  return new AppError('not-ready', `this replica cannot reach the primary: ${reason}; nothing was done`, {
    retry: 'safe',
  });
}

function outcomeUnknown(reason: string, key: string, isAdded: boolean): AppError {
  const inTime = isAdded ? ` within ${String(ADDED_KEY_RETENTION_MS / 1_000)} seconds` : '';
  const wayOut = `send it again${inTime} with the Idempotency-Key ${key} to learn its outcome`;
  return new AppError('outcome-unknown', `${reason}; ${wayOut}`, { retry: 'unknown' });
}
