import type { FastifyRequest } from 'fastify';
import { AppError, type Place, placeText } from '../../kernel/index.js';
import { malformedField } from '../../platform/http/index.js';

const COMMIT = /^(\d{1,15})\.(\d{1,15})$/;

/** `<epoch>.<seq>`, as in `X-Commit`. */
export function commitOf(text: unknown): Place | undefined {
  const [, epoch, seq] = (typeof text === 'string' && COMMIT.exec(text)) || [];
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
}

/** `?min_seq=` of a read; undefined when it has none. */
export function minSeqOf(request: FastifyRequest): Place | undefined {
  const { min_seq: given } = request.query as Readonly<Record<string, unknown>>;
  if (given === undefined) return undefined;
  const commit = commitOf(given);
  if (commit) return commit;
  throw malformedField('validation-failed', 'min_seq', 'must be <epoch>.<seq>, as X-Commit of a write gives it');
}

export function notThereYet(commit: Place, waitedMs: number): AppError {
  const detail = `this replica did not reach ${placeText(commit)} within ${String(waitedMs)} ms; ask again, or another`;
  return new AppError('not-ready', detail, { retry: 'safe' });
}
