import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type MaybePromise } from '../../kernel/index.js';
import type { CachedRead } from '../cache/index.js';
import type { Answer } from './answer.js';
import { etagOf, Preconditions } from './etag.js';
import { RATE_LIMIT_HEADER } from './request-limit.js';
import { SECURITY_HEADERS } from './security-headers.js';

export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/**
 * A representation that can be sent many times unchanged. Headers are flat: name, value, name, value. The values of the last two,
 * `X-Cache` and `X-Request-Id`, are set in a copy for each answer.
 */
export interface PreparedBody {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly okHeaders: readonly string[];
  readonly notModifiedHeaders: readonly string[];
}

/** What memory holds of a read at this moment, as new as every commit before the call; undefined when it holds nothing. */
export type RememberedRead = () => PreparedBody | undefined;

/** `headers` go with both answers, the body and 304. */
export function prepareBody(body: string, headers: readonly string[]): PreparedBody {
  const bytes = Buffer.from(body);
  return preparedBytes(bytes, etagOf(bytes), headers);
}

const OF_EACH_ANSWER = ['X-Cache', '', 'X-Request-Id', ''];

function preparedBytes(bytes: Buffer, etag: string, headers: readonly string[]): PreparedBody {
  const validated = [...headers, ...SECURITY_HEADERS, 'ETag', etag];
  const content = ['Content-Type', JSON_CONTENT_TYPE, 'Content-Length', String(bytes.length)];
  return {
    ...{ bytes, etag },
    notModifiedHeaders: [...validated, ...OF_EACH_ANSWER],
    okHeaders: [...validated, ...content, ...OF_EACH_ANSWER],
  };
}

/** A prepared body as bytes, for a cache outside this process: a line of JSON with ETag and own headers, then the body. */
export const PREPARED_BODY_BYTES = {
  encode: ({ bytes, etag, notModifiedHeaders }: PreparedBody): Buffer => {
    const ownHeaders = notModifiedHeaders.slice(0, -SECURITY_HEADERS.length - 2 - OF_EACH_ANSWER.length);
    return Buffer.concat([Buffer.from(`${JSON.stringify([etag, ...ownHeaders])}\n`), bytes]);
  },
  /** Copies the body: the given bytes may be part of a far larger buffer. */
  decode: (encoded: Buffer): PreparedBody => {
    const end = encoded.indexOf('\n');
    const [etag = '', ...headers] = JSON.parse(encoded.toString('utf8', 0, end)) as string[];
    return preparedBytes(Buffer.from(encoded.subarray(end + 1)), etag, headers);
  },
};

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers(answer.headers);
  if (answer.body === null) return reply.send();
  if (answer.headers['content-type'] === undefined) reply.header('content-type', JSON_CONTENT_TYPE);
  return reply.send(answer.body);
}

/** Sends one resource with its validator; 304 when the client's copy is current. Throws `precondition-failed`. */
export function sendResource(request: FastifyRequest, reply: FastifyReply, resource: object): FastifyReply {
  const body = JSON.stringify(resource);
  const etag = etagOf(body);
  const isNotModified = isCurrent(request, etag);
  reply.header('etag', etag);
  if (isNotModified) return reply.code(304).send();
  return reply.header('content-type', JSON_CONTENT_TYPE).send(body);
}

/** Whether the client's copy is current. Throws `precondition-failed` when the client requires another version. */
function isCurrent(request: FastifyRequest, etag: string): boolean {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && (noneMatch === undefined || noneMatch === etag)) return noneMatch === etag;
  const conditions = Preconditions.of(request);
  if (conditions.matches(etag)) return !conditions.noneMatches(etag);
  throw new AppError('precondition-failed', 'the current version does not match If-Match', { retry: 'never' });
}

/**
 * The fast path for hot reads: bypasses Fastify's serialisation and onSend hooks, and writes to Node's response with one flat
 * header list. Headers of earlier hooks (rate limit, CORS) are kept. A read that came from memory is answered by what `rememberedRead`
 * makes when it is repeated.
 */
export function sendPrepared(
  request: FastifyRequest,
  reply: FastifyReply,
  read: MaybePromise<CachedRead<PreparedBody>>,
  rememberedRead: () => RememberedRead,
): MaybePromise<void> {
  if (read instanceof Promise) return read.then((settled) => sendPrepared(request, reply, settled, rememberedRead));
  const { value: prepared, source } = read;
  const isNotModified = isCurrent(request, prepared.etag);
  if (source === 'memory') request.server.repeatedReads.learn(request, rememberedRead);
  reply.hijack();
  const earlier = reply.hasHeader(RATE_LIMIT_HEADER) || reply.hasHeader('vary') ? reply.getHeaders() : undefined;
  writePrepared(reply.raw, prepared, source, request.id, { isNotModified, earlier });
}

/** Writes a whole answer: the body, or 304. `earlier` are headers to send beside its own. */
export function writePrepared(
  response: ServerResponse,
  prepared: PreparedBody,
  source: string,
  requestId: string,
  {
    isNotModified = false,
    earlier,
  }: { isNotModified?: boolean; earlier?: ReturnType<FastifyReply['getHeaders']> | undefined } = {},
): void {
  const headers = (isNotModified ? prepared.notModifiedHeaders : prepared.okHeaders).slice();
  headers[headers.length - 3] = source;
  headers[headers.length - 1] = requestId;
  for (const name in earlier) headers.push(name, String(earlier[name]));
  if (isNotModified) response.writeHead(304, headers).end();
  else response.writeHead(200, headers).end(prepared.bytes);
}
