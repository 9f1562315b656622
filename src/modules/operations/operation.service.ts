import { AppError, type OperationLedger } from '../../kernel/index.js';
import type { Operation } from './operation.schemas.js';

/** Finished operations of all stores. */
export class OperationService {
  constructor(private readonly ledgers: readonly OperationLedger[]) {}

  /** Throws `not-found` for one that no store knows (any more). */
  find(id: string): Operation {
    for (const ledger of this.ledgers) {
      const found = ledger.findById(id);
      if (found === undefined) continue;
      const { status, headers, body } = found.answer;
      return {
        operationId: found.id,
        state: 'committed',
        at: new Date(found.atMs).toISOString(),
        answer: { status, headers, body: body === null ? null : (JSON.parse(body) as unknown) },
      };
    }
    throw new AppError('not-found', 'no store knows an operation with this id (any more)', { retry: 'never' });
  }
}
