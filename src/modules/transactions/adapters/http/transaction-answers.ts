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

/** Adds to a recorded body what only the participants know after they have carried out the transaction. */
export type CompleteBody = (recorded: string, acknowledgement: Acknowledgement | undefined) => string;

/**
 * Answers a write that is a transaction: with the recorded answer when it is carried out, and otherwise with 202. Waits for no
 * replica, because the promise already did.
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
    case 'pending':
      sendAnswer(reply, acceptedAnswer(id, 'committed'));
      break;
    case 'running':
      goesOnAfterAnswer(request, outcome.ended);
      sendAnswer(reply, acceptedAnswer(id, 'running'));
      break;
  }
}

/**
 * Answers a transaction that is carried out, with the log positions of its change and of its promise when the documents
 * acknowledge the change.
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
