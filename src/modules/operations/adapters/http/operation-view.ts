import { type Answer, type CommitConfirmer, confirmedAnswer, isConfirmedNow } from '../../../../platform/http/index.js';
import type { FoundOperation } from '../../operation.service.js';
import type { Operation } from './operation.schemas.js';

/** Adds the replicas that hold the operation. */
export async function operationView(
  { id, state, atMs, answer }: FoundOperation<Answer>,
  confirmer: CommitConfirmer,
): Promise<Operation> {
  const about = { operationId: id, state, at: new Date(atMs).toISOString() };
  if (answer === undefined) return { ...about, confirmed: false, answer: null };
  const { status, headers, body } = await confirmedAnswer(answer, id, 'primary', confirmer);
  return {
    ...about,
    confirmed: isConfirmedNow(answer, confirmer),
    answer: { status, headers, body: body === null ? null : (JSON.parse(body) as unknown) },
  };
}
