import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const METHODS = 'GET, HEAD, POST, PUT, DELETE';
const REQUEST_HEADERS = [
  ...['Accept', 'Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'X-Api-Key'],
  ...['X-Group-Version', 'X-Group-Version-After', 'X-Operation-Id', 'X-Request-Id', 'X-Undo', 'X-Write-Concern'],
].join(', ');
const ANSWER_HEADERS = [
  ...['Allow', 'ETag', 'Idempotency-Key', 'Idempotency-Replayed', 'Link', 'Location', 'Retry-After', 'X-Cache'],
  ...['X-Commit', 'X-Group-Version', 'X-Operation-Id', 'X-RateLimit-Limit', 'X-RateLimit-Remaining'],
  ...['X-RateLimit-Reset', 'X-Replica-Seq', 'X-Replicas-Acked', 'X-Request-Id', 'X-Total-Count'],
].join(', ');
const PREFLIGHT_LASTS_SECONDS = '600';

/** Lets pages of these origins read the answer, including refusals. Browsers hide it from pages of every other origin. */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: ReadonlySet<string>): void {
  reply.headers(originHeaders(request.headers.origin, origins));
}

/** The headers of an answer to a page of `origin`; none where no page of another origin is ever allowed. */
export function originHeaders(
  origin: string | undefined,
  origins: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  if (origins.size === 0) return {};
  if (origin === undefined || !origins.has(origin)) return { vary: 'Origin' };
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': ANSWER_HEADERS };
}

/** Answers CORS preflights without a key, because browsers cannot send one with a preflight. */
export function answerPreflights(server: FastifyInstance, origins: ReadonlySet<string>): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { origin, 'access-control-request-method': asked } = request.headers;
    if (request.method !== 'OPTIONS' || asked === undefined || origin === undefined || !origins.has(origin)) {
      done();
      return;
    }
    void reply.code(204).headers({
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': PREFLIGHT_LASTS_SECONDS,
    });
    void reply.send();
  });
}
