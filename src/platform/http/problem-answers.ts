import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../../kernel/index.js';
import { problemHeaders, problemOf, type ProblemShape, toAppError } from './problem.js';

export function sendProblem(
  reply: FastifyReply,
  request: FastifyRequest,
  error: AppError,
  logger: Logger,
  shape?: ProblemShape,
): FastifyReply {
  if (error.code === 'internal') logger.error({ requestId: request.id, err: error.cause ?? error }, 'unexpected error');
  const problem = problemOf(error, request.url, shape);
  return reply.code(problem.status).headers(problemHeaders(error)).send(JSON.stringify(problem));
}

/** What a path that no route serves is answered with. */
export function routeNotFound(request: FastifyRequest): AppError {
  return new AppError('route-not-found', `nothing answers ${request.method} ${request.url}; GET / lists what does`, {
    retry: 'never',
  });
}

/** The same for routes that are not Nest's. */
export function answerProblems(fastify: FastifyInstance, logger: Logger, shape?: ProblemShape): void {
  fastify.setErrorHandler((error, request, reply) => sendProblem(reply, request, toAppError(error), logger, shape));
}
