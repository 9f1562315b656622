import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/index.js';

const CONCERNS = ['all', 'majority', 'primary'] as const;
export type WriteConcern = (typeof CONCERNS)[number];

/** The request's `X-Write-Concern`; undefined when it leaves the choice to the server. */
export function writeConcernOf(request: FastifyRequest): WriteConcern | undefined {
  const header = request.headers['x-write-concern'];
  if (header === undefined) return undefined;
  const concern = CONCERNS.find((known) => known === header);
  if (concern) return concern;
  const message = `must be one of ${CONCERNS.join(', ')}`;
  throw new AppError('validation-failed', `X-Write-Concern ${message}`, {
    retry: 'never',
    fields: [{ field: 'X-Write-Concern', message }],
  });
}
