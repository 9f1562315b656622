import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, parseJson as parsed } from '../../kernel/index.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came; undefined when the request announced none. */
    rawBody: Buffer | undefined;
  }
}

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor']);
const MAY_HOLD_FORBIDDEN_KEY = /__proto__|constructor|\\u/;
const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i;

/**
 * Takes the place of Fastify's parsers: a body without bytes is accepted whatever its Content-Type, as real clients
 * send it, and anything else must be UTF-8 JSON without keys that could reach a prototype.
 */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.decorateRequest('rawBody', undefined);
  fastify.addHook('onRequest', (request, _reply, done) => {
    plainContentType(request.raw.headers);
    done();
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    request.rawBody = body;
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    try {
      done(null, parseJson(request.headers['content-type'], body));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Fastify refuses a Content-Type it cannot parse before it knows whether there is a body: it sees JSON, or none. */
function plainContentType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type === undefined || type === 'application/json') return;
  if (JSON_TYPE.test(type)) headers['content-type'] = 'application/json';
  else delete headers['content-type'];
}

function parseJson(contentType: string | undefined, body: Buffer): unknown {
  if (contentType === undefined || !JSON_TYPE.test(contentType)) {
    throw new AppError('unsupported-media-type', 'send the body as application/json', { retry: 'never' });
  }
  if (!isUtf8(body)) throw malformed('the body is not UTF-8');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = parsed(text);
  } catch (error) {
    throw malformed(`the body is not JSON: ${(error as Error).message}`);
  }
  if (MAY_HOLD_FORBIDDEN_KEY.test(text)) refuseForbiddenKeys(value);
  return value;
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
