import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptedAnswer, type Answer } from '../../../../kernel/index.js';
import {
  type CommitConfirmer,
  confirmedAnswer,
  goesOnAfterAnswer,
  operationOf,
  sendAnswer,
} from '../../../../platform/http/index.js';
import type { TransactionOutcome } from '../../../../protocols/two-phase-commit/index.js';

interface Answering {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly confirmer: CommitConfirmer;
}

type Committed<Result> = Extract<TransactionOutcome<Result>, { readonly state: 'committed' }>;

/**
 * Answers a write that is a transaction: with `answerOf` what is committed and carried out, with 202 what is not yet. No
 * replica is waited for any more, as the promise was made to them.
 */
export async function answerTransaction<Result>(
  { request, reply, confirmer }: Answering,
  outcome: TransactionOutcome<Result>,
  answerOf: (committed: Committed<Result>) => Answer,
): Promise<void> {
  const { id } = operationOf(request);
  switch (outcome.state) {
    case 'committed':
      sendAnswer(reply, await confirmedAnswer(answerOf(outcome), id, 'primary', confirmer));
      break;
    case 'untold':
      sendAnswer(reply, acceptedAnswer(id, 'committed'));
      break;
    case 'running':
      goesOnAfterAnswer(request, outcome.ended);
      sendAnswer(reply, acceptedAnswer(id, 'running'));
      break;
  }
}
