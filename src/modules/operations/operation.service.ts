import { AppError, type OperationLedger } from '../../kernel/index.js';
import { type CommitConfirmer, confirmedAnswer, isConfirmedNow } from '../../platform/http/index.js';
import type { Operation } from './operation.schemas.js';

/** Finished operations of all stores. */
export class OperationService {
  constructor(
    private readonly ledgers: readonly OperationLedger[],
    private readonly confirmer: CommitConfirmer,
  ) {}

  /** With the replicas that hold it by now. Rejects with `not-found` for one that no store knows (any more). */
  async find(id: string): Promise<Operation> {
    for (const ledger of this.ledgers) {
      const found = ledger.findById(id);
      if (found === undefined) continue;
      const { status, headers, body } = await confirmedAnswer(found.answer, id, 'primary', this.confirmer);
      return {
        operationId: found.id,
        state: 'committed',
        confirmed: isConfirmedNow(found.answer, this.confirmer),
        at: new Date(found.atMs).toISOString(),
        answer: { status, headers, body: body === null ? null : (JSON.parse(body) as unknown) },
      };
    }
    throw new AppError('not-found', 'no store knows an operation with this id (any more)', { retry: 'never' });
  }
}
