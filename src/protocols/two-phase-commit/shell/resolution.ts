import { AppError, type Log } from '../../../kernel/index.js';
import { detailsOf, type UndecidedTransaction, undecidedOf, isUnmatched, type Judge } from '../core/recovery.js';
import type { Decision, TransactionId } from '../ports.js';
import type { InTime } from './in-time.js';
import { findCarriedOut, findInDoubt, type Stores } from './consistency-check.js';

export interface Resolution {
  readonly id: TransactionId;
  readonly decision: Decision;
  /** The operator's name; like `reason`, it goes into the log and into the row. */
  readonly by: string;
  readonly reason: string;
}

/**
 * Writes the row that a person has decided on. Resolves when it is durable, with the in-doubt transaction; undefined when all
 * participants had been notified of that decision. Rejects with `not-found` or `conflict` and changes nothing.
 */
export async function resolveInDoubt(
  resolution: Resolution,
  judgeOf: (inDoubt: readonly UndecidedTransaction[]) => Promise<Judge>,
  stores: Stores & { readonly log: Log; readonly inTime: InTime },
): Promise<UndecidedTransaction | undefined> {
  const { id, decision, by, reason } = resolution;
  const undecided = undecidedOf(await findInDoubt(stores, stores.inTime)).find((each) => each.id === id);
  const known = await decisionOf(id, stores);
  if (known !== undefined && known !== decision) throw contradiction(id, known);
  if (undecided === undefined && known === undefined) {
    throw new AppError('not-found', `No transaction ${id} is in doubt.`, { retry: 'never' });
  }
  if (undecided === undefined) return undefined;
  if (decision === 'committed' && known === undefined && !isUnmatched(undecided, await judgeOf([undecided]))) {
    const message = `Transaction ${id} is decided by this database, which has not committed it: recovery will abort it.`;
    throw new AppError('conflict', message, { retry: 'never' });
  }
  const row = await stores.lastResource.decide(detailsOf(undecided, 'operator', `${by}: ${reason}`), decision);
  if (row !== decision) throw contradiction(id, row);
  const { kind } = undecided;
  stores.log.info('an operator decided a transaction', { transaction: id, kind, decision, by, reason });
  return undecided;
}

/** The decision of the row, or of a participant that has carried it out. */
async function decisionOf(id: TransactionId, stores: Stores): Promise<Decision | undefined> {
  const row = (await stores.lastResource.decisions([id])).get(id);
  if (row !== undefined) return row;
  const carriedOut = Object.values(await findCarriedOut(stores)).flat();
  return carriedOut.find((each) => each.id === id)?.decision;
}

function contradiction(id: TransactionId, known: Decision): AppError {
  return new AppError('conflict', `Transaction ${id} is ${known} already.`, { retry: 'never' });
}
