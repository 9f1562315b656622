import type { FastifyRequest } from 'fastify';
import { AppError, type LogPosition, logPositionText } from '../../kernel/index.js';
import { malformedField } from './parameters.js';

const COMMIT = /^(\d{1,15})\.(\d{1,15})$/;

export function commitOf(text: unknown): LogPosition | undefined {
  const [, epoch, seq] = (typeof text === 'string' && COMMIT.exec(text)) || [];
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
}

/** Knows when this process reaches a log position of the documents' history. */
export interface HistoryWaits {
  /** False when the position is not reached within READ_WAIT_MS. */
  whenAt(commit: LogPosition): Promise<boolean>;
}

/** Resolves when reads here are at least as new as the write in `?min_seq=`. Rejects with `not-ready` after the deadline. */
export async function whenCurrent(request: FastifyRequest, waits: HistoryWaits): Promise<void> {
  const { min_seq: given } = request.query as Readonly<Record<string, unknown>>;
  if (given === undefined) return;
  const commit = commitOf(given);
  if (commit === undefined) {
    throw malformedField('validation-failed', 'min_seq', 'must be <epoch>.<seq>, as X-Commit of a write gives it');
  }
  if (await waits.whenAt(commit)) return;
  const detail = `this node did not reach ${logPositionText(commit)} within READ_WAIT_MS: repeat the read, or ask another node`;
  throw new AppError('not-ready', detail, { retry: 'safe' });
}
