import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/index.js';
import { malformedField } from '../../platform/http/index.js';

export interface Commit {
  readonly epoch: number;
  readonly seq: number;
}

const COMMIT = /^(\d{1,15})\.(\d{1,15})$/;

/** `<epoch>.<seq>`, as in `X-Commit`. */
export function commitOf(text: unknown): Commit | undefined {
  const [, epoch, seq] = (typeof text === 'string' && COMMIT.exec(text)) || [];
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
}

export function shownCommit({ epoch, seq }: Commit): string {
  return `${String(epoch)}.${String(seq)}`;
}

/** `?min_seq=` of a read; undefined when it has none. */
export function minSeqOf(request: FastifyRequest): Commit | undefined {
  const { min_seq: given } = request.query as Readonly<Record<string, unknown>>;
  if (given === undefined) return undefined;
  const commit = commitOf(given);
  if (commit) return commit;
  throw malformedField('validation-failed', 'min_seq', 'must be <epoch>.<seq>, as X-Commit of a write gives it');
}

export function notThereYet(commit: Commit, waitedMs: number): AppError {
  const detail = `this replica did not reach ${shownCommit(commit)} within ${String(waitedMs)} ms; ask again, or another`;
  return new AppError('not-ready', detail, { retry: 'safe' });
}
