import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Acknowledgements } from '../../../../kernel/index.js';
import {
  acceptedAnswer,
  type Answer,
  type CommitConfirmer,
  confirmedAnswer,
  goesOnAfterAnswer,
  operationOf,
  sendAnswer,
} from '../../../../platform/http/index.js';
import { DOCUMENTS, type TransactionOutcome } from '../../../../protocols/two-phase-commit/index.js';
import type { Decided } from '../../decided.js';

interface Answering {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly confirmer: CommitConfirmer;
}

type Acknowledgement = Acknowledgements[string];

/** Puts into a recorded body what only the participants could tell when they had carried the transaction out. */
export type CompleteBody = (recorded: string, acknowledgement: Acknowledgement | undefined) => string;

/**
 * Answers a write that is a transaction: with what was recorded when it is carried out, with 202 when it is not yet. No
 * replica is waited for any more, as the promise was made to them.
 */
export async function answerTransaction(
  { request, reply, confirmer }: Answering,
  outcome: TransactionOutcome<Decided>,
  completeBody?: CompleteBody,
): Promise<void> {
  const { id } = operationOf(request);
  switch (outcome.state) {
    case 'committed': {
      const { result, acknowledgements } = outcome;
      const answer = completedAnswer(result, acknowledgements[DOCUMENTS], completeBody);
      sendAnswer(reply, await confirmedAnswer(answer, id, 'primary', confirmer));
      break;
    }
    case 'untold':
      sendAnswer(reply, acceptedAnswer(id, 'committed'));
      break;
    case 'running':
      goesOnAfterAnswer(request, outcome.ended);
      sendAnswer(reply, acceptedAnswer(id, 'running'));
      break;
  }
}

/**
 * The whole answer to a transaction that is carried out. It tells the log positions of its change and of its promise where
 * the documents acknowledge the change.
 */
export function completedAnswer(
  { answer, promisedAt }: Decided,
  acknowledgement: Acknowledgement | undefined,
  completeBody?: CompleteBody,
): Answer {
  const { status, headers, body: recorded } = answer;
  const commit = acknowledgement?.position;
  const body = recorded === null || !completeBody ? recorded : completeBody(recorded, acknowledgement);
  if (commit === undefined) return { status, headers, body };
  const placed = { status, headers: { ...headers, 'x-commit': commit }, body };
  return promisedAt === undefined || promisedAt === '' ? placed : { ...placed, promisedAt };
}
