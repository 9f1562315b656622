import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { AppError } from '../../kernel/index.js';
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

/** Answers errors as problem+json for routes outside Nest. */
export function answerProblems(fastify: FastifyInstance, logger: Logger, shape?: ProblemShape): void {
  fastify.setErrorHandler((error, request, reply) => sendProblem(reply, request, toAppError(error), logger, shape));
}
