import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../kernel/index.js';
import type { OperationService } from '../../modules/operations/index.js';
import { acceptedAnswer, type Answer, replayHeaders, shuttingDown } from '../../platform/http/index.js';

/**
 * What a request is answered with that has not ended when this process stops. A write is 202 with its operation: it is
 * durable, or a store has it in hand and it may become so. A repeat of one is 202 with the same operation. Only what no
 * store was given yet is refused.
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
