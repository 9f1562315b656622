import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../../kernel/index.js';
import { isNotModified } from './etag.js';

export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/** A representation that can be sent as it is, many times. `headers` is flat: name, value, name, value. */
export interface PreparedBody {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly headers: readonly string[];
}

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers(answer.headers);
  if (answer.body === null) return reply.send();
  return reply.header('content-type', JSON_CONTENT_TYPE).send(answer.body);
}

/** A single resource with its validator; 304 when the client's copy is current. */
export function sendResource(request: FastifyRequest, reply: FastifyReply, body: string, etag: string): FastifyReply {
  reply.header('etag', etag);
  if (isNotModified(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.header('content-type', JSON_CONTENT_TYPE).send(body);
}

/**
 * The quick way out for hot reads: past Fastify's serialisation and onSend hooks, straight to Node's response with the
 * headers in one flat list. Headers that earlier hooks have set are kept.
 */
export function sendPrepared(
  request: FastifyRequest,
  reply: FastifyReply,
  prepared: PreparedBody,
  cacheSource: string,
): void {
  reply.hijack();
  const headers = [...prepared.headers, 'X-Cache', cacheSource, 'X-Request-Id', request.id];
  const earlier = reply.getHeaders();
  for (const name in earlier) headers.push(name, String(earlier[name]));
  if (isNotModified(request.headers['if-none-match'], prepared.etag)) {
    reply.raw.writeHead(304, headers).end();
    return;
  }
  headers.push('Content-Type', JSON_CONTENT_TYPE, 'Content-Length', String(prepared.bytes.length));
  reply.raw.writeHead(200, headers).end(prepared.bytes);
}
