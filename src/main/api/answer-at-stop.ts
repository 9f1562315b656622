import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../kernel/index.js';
import type { OperationService } from '../../modules/operations/index.js';
import { acceptedAnswer, type Answer, replayHeaders, shuttingDown } from '../../platform/http/index.js';

/**
 * Answers requests that are unfinished when the process stops. A write gets 202 with its operation, because it is or may become
 * durable, and so does a repeat of a write. Only a request that no store has received is refused.
 */
export function answerAtStop(operations: OperationService<Answer>): (request: FastifyRequest) => Answer | AppError {
  return ({ operation, repeatedOperationId, routeOptions }) => {
    const id = operation?.id ?? repeatedOperationId;
    if (id === undefined || routeOptions.config.isUnrecorded) return shuttingDown();
    const state = operations.stateOf(id) ?? 'running';
    if (state === 'aborted') return shuttingDown();
    const answer = acceptedAnswer(id, state);
    return operation ? answer : { ...answer, headers: { ...answer.headers, ...replayHeaders(id) } };
  };
}
