import { fastify, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../../kernel/index.js';
import { type ApiKey, useAccessControl } from './access.js';
import { useEndings } from './endings.js';
import type { ProblemShape } from './problem.js';
import { sendProblem } from './problem-answers.js';
import { ROUTER_OPTIONS, useRouteRules } from './routes.js';
import { refuseRepeatedHeaders } from './single-headers.js';
import { useConnections } from './serving.js';
import { answerUnparsable, useProblemsForWhatNodeRefuses } from './unparsable.js';

export interface HttpServerOptions {
  readonly apiKeys: readonly ApiKey[];
  /** Requests per minute and caller; undefined for no limit. */
  readonly requestsPerMinute: number | undefined;
  readonly newRequestId: () => string;
  readonly logger: Logger;
  /** From its first byte, or from when the connection was made. */
  readonly headersTimeoutMs: number;
  /** From its first byte to its last; above `headersTimeoutMs`. Not for requests that `mayArriveSlowly`. */
  readonly requestTimeoutMs: number;
  /** Of refusals of what never reached a route. */
  readonly problemShape?: ProblemShape;
}

const BODY_LIMIT_BYTES = 1024 * 1024;
const LOOK_FOR_SLOW_CLIENTS_EVERY_MS = 500;
/** More would only wait for memory and descriptors. */
const MOST_CONNECTIONS = 10_000;
const ACCEPTABLE_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** No route has Fastify's own schemas: their two compilers, a fifth of what a small process loads, are not loaded. */
const NO_SCHEMAS = { compilersFactory: { buildValidator: withoutSchemas, buildSerializer: withoutSchemas } };

function withoutSchemas(): never {
  throw new Error('routes are described by zod schemas, not by those of Fastify');
}

/** A Fastify instance with the rules that hold for every route of every process: ids, access, limits, errors. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    http: {
      requireHostHeader: false,
      headersTimeout: options.headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      connectionsCheckingInterval: LOOK_FOR_SLOW_CLIENTS_EVERY_MS,
    },
    routerOptions: ROUTER_OPTIONS,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && ACCEPTABLE_REQUEST_ID.test(given) ? given : options.newRequestId();
    },
    schemaController: NO_SCHEMAS,
    requestTimeout: options.requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      void sendProblem(
        reply,
        request,
        new AppError('malformed-request', error.message, { retry: 'never', cause: error }),
        options.logger,
        options.problemShape,
      );
    },
    clientErrorHandler: (error, socket) => {
      answerUnparsable(error, socket, options.newRequestId(), options.problemShape);
    },
  });
  boundConnections(server);
  useConnections(server);
  server.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-request-id', request.id);
    done(null, payload);
  });
  useEndings(server);
  useProblemsForWhatNodeRefuses(server);
  refuseRepeatedHeaders(server);
  useAccessControl(server, options.apiKeys);
  if (options.requestsPerMinute !== undefined) await useRateLimit(server, options.requestsPerMinute);
  useRouteRules(server);
  return server;
}

/** When there are as many as there may be, those that nobody uses make room. */
function boundConnections({ server }: FastifyInstance): void {
  server.maxConnections = MOST_CONNECTIONS;
  server.on('drop', () => {
    server.closeIdleConnections();
  });
}

/** Counts every request, also to paths that no route serves, but for those that are open to all. */
async function useRateLimit(server: FastifyInstance, requestsPerMinute: number): Promise<void> {
  const { default: rateLimit } = await import('@fastify/rate-limit');
  await server.register(rateLimit, {
    global: false,
    max: requestsPerMinute,
    timeWindow: 60_000,
    allowList: (request) => request.routeOptions.config.role === 'open',
    keyGenerator: (request) => (request.caller === 'anonymous' ? request.ip : request.caller),
    errorResponseBuilder: (_request, { ttl, max }) =>
      new AppError('rate-limited', `more than ${String(max)} requests in a minute`, {
        retry: 'safe',
        retryAfterSeconds: Math.ceil(ttl / 1_000),
      }),
  });
  server.addHook('onRequest', server.rateLimit());
}
