import type { HeldKeys, OperationLedger, OperationRecord } from '../../../kernel/index.js';
import type { Checkout } from './checkout.js';
import type { CheckoutSagas } from './checkout-sagas.js';
import type { CheckoutRepository } from './checkout.repository.js';

/**
 * The operations that are checkouts. A running one has a record from its first commit on. A refused one keeps its answer, because
 * it has written something: the same key never starts a second saga.
 */
export class CheckoutLedger<Answer> implements OperationLedger<Answer> {
  constructor(
    private readonly checkouts: Pick<CheckoutRepository, 'findById' | 'findByScope' | 'heldKeys'>,
    private readonly sagas: Pick<CheckoutSagas, 'ended'>,
    private readonly answerOf: (ended: Checkout) => Answer,
  ) {}

  findByScope(scope: string): OperationRecord<Answer> | undefined {
    return this.toRecord(this.checkouts.findByScope(scope));
  }

  findById(id: string): OperationRecord<Answer> | undefined {
    return this.toRecord(this.checkouts.findById(id));
  }

  /** Same as `CheckoutRepository.heldKeys`. */
  heldKeys(from?: number): Iterable<HeldKeys> {
    return this.checkouts.heldKeys(from);
  }

  private toRecord(checkout: Checkout | undefined): OperationRecord<Answer> | undefined {
    if (checkout === undefined) return undefined;
    const { number, state, operation, startedAtMs, endedAtMs } = checkout;
    const about = { id: operation.id, bodyHmac: operation.bodyHmac };
    if (endedAtMs !== undefined) {
      const answer = this.answerOf(checkout);
      return { ...about, atMs: endedAtMs, answer, ...(state !== 'completed' && { isUndone: true }) };
    }
    return { ...about, atMs: startedAtMs, answer: undefined, ended: this.sagas.ended(number) };
  }
}
