import { fastify, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../../kernel/index.js';
import { type ApiKey, useAccessControl } from './access.js';
import { useJsonBodies } from './json-body.js';
import { problemHeaders, problemOf } from './problem.js';
import { sendProblem } from './problem.filter.js';

export interface HttpServerOptions {
  readonly apiKeys: readonly ApiKey[];
  /** Requests per minute and caller; undefined for no limit. */
  readonly requestsPerMinute: number | undefined;
  readonly newRequestId: () => string;
  readonly logger: Logger;
}

const BODY_LIMIT_BYTES = 1024 * 1024;
const LONGEST_PATH_PARAMETER = 1_024;
const ACCEPTABLE_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** A Fastify instance with the rules that hold for every route of every process: ids, access, limits, bodies, errors. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: LONGEST_PATH_PARAMETER, ignoreTrailingSlash: true },
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && ACCEPTABLE_REQUEST_ID.test(given) ? given : options.newRequestId();
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      void sendProblem(
        reply as never,
        request as never,
        new AppError('malformed-request', error.message, { retry: 'never', cause: error }),
        options.logger,
      );
    },
    clientErrorHandler: (_error, socket) => {
      if (socket.writable && !socket.destroyed) socket.end(unparsableAnswer());
      else socket.destroy();
    },
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-request-id', request.id);
    done(null, payload);
  });
  useAccessControl(server, options.apiKeys);
  if (options.requestsPerMinute !== undefined) await useRateLimit(server, options.requestsPerMinute);
  useJsonBodies(server);
  return server;
}

async function useRateLimit(server: FastifyInstance, requestsPerMinute: number): Promise<void> {
  const { default: rateLimit } = await import('@fastify/rate-limit');
  await server.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => (request.caller === 'anonymous' ? request.ip : request.caller),
    errorResponseBuilder: (_request, { ttl, max }) =>
      new AppError('rate-limited', `more than ${String(max)} requests in a minute`, {
        retry: 'safe',
        retryAfterSeconds: Math.ceil(ttl / 1_000),
      }),
  });
}

/** For bytes that are not an HTTP request at all: there is no reply object to send with. */
function unparsableAnswer(): string {
  const error = new AppError('malformed-request', 'this is not an HTTP/1.1 request', { retry: 'never' });
  const body = JSON.stringify(problemOf(error, '/'));
  const headers = { ...problemHeaders(error), 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return ['HTTP/1.1 400 Bad Request', ...lines, '', body].join('\r\n');
}
