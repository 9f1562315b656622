import type { FastifyRequest } from 'fastify';
import { acceptedAnswer, type Answer } from './answer.js';
import { type WriteConcern, writeConcernOf } from './write-concern.js';

/** What the replicas report about a write that is durable here. */
export interface Confirmation {
  /** False when the write concern was not met within its deadline; it may still be met later. */
  readonly isConfirmed: boolean;
  readonly acked: number;
  readonly replicas: number;
}

/** Knows which replicas hold which write. */
export interface CommitConfirmer {
  /** Throws `not-ready` or `too-few-replicas`, before anything is written, when a write could not be confirmed. */
  admit(concern: WriteConcern | undefined): void;
  confirm(seq: number, concern: WriteConcern | undefined): Promise<Confirmation>;
  /** Whether the server's own write concern is met now; does not wait. */
  isConfirmed(seq: number): boolean;
}

/** The write concern of a write that may begin. Throws what `CommitConfirmer.admit` throws. */
export function admittedConcern(request: FastifyRequest, confirmer: CommitConfirmer): WriteConcern | undefined {
  const concern = writeConcernOf(request);
  confirmer.admit(concern);
  return concern;
}

/**
 * The answer to a write once its concern is met; after the deadline, a 202 that names the operation to ask for. An answer without
 * `x-commit` is not replicated and is returned unchanged.
 */
export async function confirmedAnswer(
  answer: Answer,
  operationId: string,
  concern: WriteConcern | undefined,
  confirmer: CommitConfirmer,
): Promise<Answer> {
  const commit = answer.headers['x-commit'];
  if (commit === undefined) return answer;
  const { isConfirmed, acked, replicas } = await confirmer.confirm(seqOf(answer.promisedAt ?? commit), concern);
  const headers = { 'x-replicas-acked': `${String(acked)}/${String(replicas)}` };
  if (isConfirmed) return { ...answer, headers: { ...answer.headers, ...headers } };
  const accepted = acceptedAnswer(operationId, 'committed');
  return { ...accepted, headers: { ...headers, 'x-commit': commit, ...accepted.headers } };
}

/** Whether the answer's write is confirmed under the server's own write concern; true where nothing replicates it. */
export function isConfirmedNow(answer: Answer, confirmer: CommitConfirmer): boolean {
  const place = answer.promisedAt ?? answer.headers['x-commit'];
  return place === undefined || confirmer.isConfirmed(seqOf(place));
}

function seqOf(commit: string): number {
  return Number(commit.slice(commit.indexOf('.') + 1));
}
