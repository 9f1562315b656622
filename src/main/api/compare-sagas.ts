import { AppError, type NextTurn } from '../../kernel/index.js';
import { CHECKOUT } from '../../modules/orders/index.js';
import { type ComparedSagas, findMissingRows, type MissingRow, type SqlSagaFile } from '../../protocols/saga/index.js';

const MAX_NAMED = 5;

/**
 * Compares the step rows of all files, before any event is delivered. Rejects with `recovery-needed`, which names file and sagas,
 * when one file is an older copy than the others. Changes nothing. Sagas that are `compared` already are passed over.
 */
export async function compareSagas(
  files: readonly SqlSagaFile[],
  fileOf: (participant: string) => string,
  nextTurn: NextTurn,
  compared?: ComparedSagas,
): Promise<void> {
  const missing = await findMissingRows(CHECKOUT, files, () => new Promise(nextTurn), compared);
  if (missing.length === 0) return;
  const told = [...Map.groupBy(missing, ({ by }) => by)].map(([by, rows]) => {
    const named = rows.slice(0, MAX_NAMED).map((row) => described(row));
    const more = rows.length > named.length ? ', and more' : '';
    return `the database ${fileOf(by)} lacks ${named.join(', ')}${more}`;
  });
  throw new AppError(
    'recovery-needed',
    `the files of the shop are at different points in time; one is an older copy: ${told.join('; ')}. Replace it with the right ` +
      'one, or all three files (without -wal and -shm) with those of one backup (npm run backup), or accept the loss ' +
      'with npm run sagas:accept -- --reason "...". Nothing was changed',
    { retry: 'never' },
  );
}

function described({ saga, lacks, provedBy }: MissingRow): string {
  return `${lacks} of saga ${String(saga)} (proved by ${provedBy})`;
}
