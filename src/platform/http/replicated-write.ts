import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, OperationStamp } from '../../kernel/index.js';
import { sendAnswer } from './answers.js';
import { admittedConcern, type CommitConfirmer, confirmedAnswer } from './commit-confirmation.js';
import { operationOf } from './idempotency-gate.js';

/**
 * A write that goes to replicas: refused before anything is written when its concern cannot be met, answered once it is.
 * What can be wrong with the request itself is to be checked before: that must not depend on replicas. Rejects with what
 * `execute` rejects with.
 */
export async function answerReplicated(
  request: FastifyRequest,
  reply: FastifyReply,
  confirmer: CommitConfirmer,
  execute: (operation: OperationStamp) => Promise<Answer>,
): Promise<void> {
  const concern = admittedConcern(request, confirmer);
  const operation = operationOf(request);
  sendAnswer(reply, await confirmedAnswer(await execute(operation), operation.id, concern, confirmer));
}
