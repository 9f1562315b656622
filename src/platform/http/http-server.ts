import { fastify, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../../kernel/index.js';
import { admissionOf, type AdmissionOptions, useAccessControl, useAdmission } from './admission.js';
import { useEndings } from './endings.js';
import type { ProblemShape } from './problem.js';
import { sendProblem } from './problem-answers.js';
import { type QueryNames, useQueryNames } from './query-names.js';
import { useRepeatedReads } from './repeated-reads.js';
import { isAcceptableRequestId } from './request-id.js';
import { ROUTER_OPTIONS, useRouteRules } from './routes.js';
import { setSecurityHeaders } from './security-headers.js';
import { refuseRepeatedHeaders } from './single-headers.js';
import { useConnections } from './serving.js';
import { answerUnparsable, ignoreExpectations } from './unparsable.js';

export interface HttpServerOptions extends AdmissionOptions {
  readonly newRequestId: () => string;
  readonly logger: Logger;
  /** Counts from the first byte of the request, or from the connection's start. */
  readonly headersTimeoutMs: number;
  /** Counts from the first to the last byte; above `headersTimeoutMs`. Requests that `mayArriveSlowly` are exempt. */
  readonly requestTimeoutMs: number;
  /** Absent: every query name is accepted. */
  readonly queryNames?: QueryNames;
  /** The shape of refusals for requests that never reached a route. */
  readonly problemShape?: ProblemShape;
}

export const BODY_LIMIT_BYTES = 1024 * 1024;
const LOOK_FOR_SLOW_CLIENTS_EVERY_MS = 500;
/**
 * More connections would only wait for memory and descriptors. It is above the longest queue of a route, 10,000 checkouts, so that a
 * client who finds that queue full is answered and not cut off.
 */
const MAX_CONNECTIONS = 15_000;

/** No route uses Fastify's own schemas, so their two compilers, a fifth of what a small process loads, are not loaded. */
const NO_SCHEMAS = { compilersFactory: { buildValidator: withoutSchemas, buildSerializer: withoutSchemas } };

function withoutSchemas(): never {
  throw new Error('routes are described by zod schemas, not by those of Fastify');
}

/** A Fastify instance with the rules for every route of every process: ids, access, limits, errors. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const refusalOf = admissionOf(options);
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
      return isAcceptableRequestId(given) ? given : options.newRequestId();
    },
    schemaController: NO_SCHEMAS,
    requestTimeout: options.requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      setSecurityHeaders(reply);
      const malformed = new AppError('malformed-request', error.message, { retry: 'never', cause: error });
      const send = (refusal: AppError | undefined): void => {
        void sendProblem(reply, request, refusal ?? malformed, options.logger, options.problemShape);
      };
      const refusal = refusalOf(request, reply);
      if (refusal instanceof Promise) void refusal.then(send);
      else send(refusal);
    },
    clientErrorHandler: (error, socket) => {
      answerUnparsable(error, socket, options.newRequestId(), options.problemShape);
    },
  });
  useRepeatedReads(server, options, options.newRequestId);
  boundConnections(server);
  useConnections(server);
  server.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-request-id', request.id);
    setSecurityHeaders(reply);
    done(null, payload);
  });
  useEndings(server);
  ignoreExpectations(server);
  useAdmission(server, refusalOf);
  refuseRepeatedHeaders(server);
  useAccessControl(server, options);
  useRouteRules(server);
  if (options.queryNames) useQueryNames(server, options.queryNames);
  return server;
}

/** At the connection limit, idle connections make room. */
function boundConnections({ server }: FastifyInstance): void {
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', () => {
    server.closeIdleConnections();
  });
}
