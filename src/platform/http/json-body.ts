import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, parseJson as parsed } from '../../kernel/index.js';
import { isReading } from './access.js';
import { whenAnswered } from './endings.js';
import { BodyMemory, type BodyShare, receiveBody } from './received-body.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The raw body; undefined when the request announced none. */
    rawBody: Buffer | undefined;
    /** The memory that the body takes; undefined while it takes none. */
    bodyShare: BodyShare | undefined;
  }
}

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor']);
const MAY_HOLD_FORBIDDEN_KEY = /__proto__|constructor|\\u/;
const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

/**
 * Replaces Fastify's parsers: an empty body is accepted with any Content-Type, as real clients send it; any other body must be
 * UTF-8 JSON without keys that could reach a prototype.
 */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.decorateRequest('rawBody', undefined);
  fastify.decorateRequest('bodyShare', undefined);
  fastify.addHook('onRequest', (request, _reply, done) => {
    plainContentType(request.raw.headers);
    done();
  });
  const memory = new BodyMemory();
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    if (!isReading(request.method)) {
      const share = memory.open();
      request.bodyShare = share;
      whenAnswered(request, reply, share.giveBack);
    }
    done(null, payload);
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (request: FastifyRequest, payload, done) => {
    const { headers, bodyShare: share = memory.open() } = request;
    const receiving = {
      announcedBytes: Number(headers['content-length'] ?? 0),
      limitBytes: request.routeOptions.bodyLimit,
      share,
    };
    receiveBody(payload, receiving, (error, body) => {
      if (error || body === undefined) done(error);
      else take(request, body, done);
    });
  });
}

function take(request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void): void {
  request.rawBody = body;
  if (body.length === 0) {
    done(null, undefined);
    return;
  }
  let value: unknown;
  try {
    value = parseJson(request.headers, body);
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, value);
}

/** Fastify refuses an unknown Content-Type before it knows whether there is a body, so it only sees JSON or none. */
function plainContentType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type === undefined || type === 'application/json') return;
  if (JSON_TYPE.test(type)) headers['content-type'] = 'application/json';
  else delete headers['content-type'];
}

function parseJson(headers: IncomingHttpHeaders, body: Buffer): unknown {
  const { 'content-type': contentType, 'content-encoding': encoding = 'identity' } = headers;
  if (contentType === undefined || !JSON_TYPE.test(contentType) || encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported-media-type', 'send the body as uncompressed application/json', {
      retry: 'never',
    });
  }
  if (!isUtf8(body)) throw malformed('the body is not UTF-8');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = parsed(text);
  } catch (error) {
    throw malformed(`the body is not JSON: ${withoutQuote((error as Error).message)}`);
  }
  if (MAY_HOLD_FORBIDDEN_KEY.test(text)) refuseForbiddenKeys(value);
  return value;
}

/** V8 quotes what is around the mistake, which may be part of a password. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?"[^]*$/, '');
}

function refuseForbiddenKeys(root: unknown): void {
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (FORBIDDEN_KEYS.has(key)) {
        throw new AppError('validation-failed', `the key ${key} is not allowed`, {
          retry: 'never',
          fields: [{ field: key, message: 'is not allowed' }],
        });
      }
      open.push(inner);
    }
  }
}

function malformed(detail: string): AppError {
  return new AppError('malformed-json', detail, { retry: 'never' });
}
