import { z } from 'zod';
import { type Answer, openApiParts, parseAmount } from '../../../../platform/http/index.js';

export const MAX_ROWS = 1_000_000;

const batchInitSchema = z
  .object({ msg: z.string().meta({ example: '1000 users, "0" to "999", are initialised' }) })
  .meta({ id: 'BatchInitialised' });

/** The parts of the description of a `batch_init` route, without its id, summary and further parameters. */
export const BATCH_INIT = {
  shown: batchInitSchema,
  bodiless: true,
  isRecorded: true,
  description:
    'Their ids are "0" to "n-1". Those that exist are replaced, as a new set. A checkout or another `batch_init` in the meantime is ' +
    'refused, and so is this request while one is under way, or is parked and holds credit or stock: the answer names it. A run that a crash cuts short is finished at the next start.',
  refusals: ['conflict'],
  details: { conflict: '3 checkouts are under way; nothing was written' },
} as const;

export const ROW_COUNT = openApiParts.pathNumber('n', 'how many', 1_000, MAX_ROWS);

/** Parses `n`. Throws `validation-failed`. */
export function parseRowCount(text: string): number {
  return parseAmount(text, 'n', 0, MAX_ROWS);
}

export function batchInitAnswer(rows: string, rowCount: number): Answer {
  const ids = rowCount === 0 ? '' : `, "0" to "${String(rowCount - 1)}",`;
  return {
    status: 200,
    headers: {},
    body: JSON.stringify({ msg: `${String(rowCount)} ${rows}${ids} are initialised` }),
  };
}
