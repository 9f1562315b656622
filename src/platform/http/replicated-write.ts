import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperationStamp } from '../../kernel/index.js';
import type { Answer } from './answer.js';
import { sendAnswer } from './answers.js';
import { admittedConcern, type CommitConfirmer, confirmedAnswer } from './commit-confirmation.js';
import { operationOf } from './idempotency-gate.js';

/**
 * Answers a write that goes to replicas: refuses it, before anything is written, when its concern cannot be met, and answers once
 * the concern is met. Check the request itself earlier, because that result must not depend on replicas. Rejects with what
 * `execute` rejects with.
 */
export async function answerReplicated<Outcome>(
  request: FastifyRequest,
  reply: FastifyReply,
  confirmer: CommitConfirmer,
  answerOf: (outcome: Outcome) => Answer,
  execute: (operation: OperationStamp) => Promise<Outcome>,
): Promise<void> {
  const concern = admittedConcern(request, confirmer);
  const operation = operationOf(request);
  const answer = answerOf(await execute(operation));
  sendAnswer(reply, await confirmedAnswer(answer, operation.id, concern, confirmer));
}
