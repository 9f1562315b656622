import { type AppError } from '../../kernel/index.js';
import type { SagaData, SagaParticipant, StepOutcome } from '../../protocols/saga/index.js';
import { noUser, type PaymentUser, refusalToSpend } from './payment-user.js';
import type { PaymentRepository } from './payment.repository.js';

/** What the steps read of an event, and hand on with the rest. */
export interface OrderedPayment {
  readonly userId: string;
  /** The user's set of rows when the checkout started: one that `batch_init` has replaced since is not charged. */
  readonly userSet: number;
  readonly total: number;
}

/** The steps of a checkout in `payment.db`. What is held belongs to the checkouts whose `authorise` has a step row and no further one. */
export function paymentSteps(users: PaymentRepository): SagaParticipant['steps'] {
  /** Changes the user, who is still that of `authorise`: `batch_init` replaces nobody for whom a checkout holds credit. */
  const settle = (
    data: SagaData,
    event: string,
    change: (user: PaymentUser, total: number) => PaymentUser,
  ): StepOutcome => {
    const { userId, userSet, total } = data as unknown as OrderedPayment;
    users.change(userId, (found) => {
      if (found.setNumber !== userSet) throw new Error(`user ${userId} was replaced while a checkout held credit`);
      return change(found, total);
    });
    return { event, data, set: userSet };
  };
  return {
    /** Holds the total. While other checkouts hold what would suffice, the answer is `later`, never "too little". */
    authorise: (_scope, _saga, data): StepOutcome => {
      const { userId, userSet, total } = data as unknown as OrderedPayment;
      const user = users.findWithinWrite(userId);
      if (user === undefined) return refused(data, noUser(userId));
      if (user.setNumber !== userSet) return { event: 'credit-refused', data: { ...data, ...replaced(userId) } };
      const refusal = refusalToSpend(user, total);
      if (refusal?.code === 'credit-held') return { later: refusal.message };
      if (refusal) return refused(data, refusal);
      users.change(userId, (found) => ({ ...found, credit: found.credit - total, held: found.held + total }));
      return { event: 'credit-authorised', data, set: userSet };
    },
    /** Gives back what `authorise` holds. */
    void: (_scope, _saga, data) =>
      settle(data, 'credit-voided', (user, total) => ({
        ...user,
        credit: user.credit + total,
        held: user.held - total,
      })),
    /** Charges what `authorise` holds. */
    capture: (_scope, _saga, data) =>
      settle(data, 'credit-captured', (user, total) => ({
        ...user,
        held: user.held - total,
        charged: user.charged + total,
      })),
  };
}

function refused(data: SagaData, { code, message }: AppError): StepOutcome {
  return { event: 'credit-refused', data: { ...data, code, message } };
}

/** Told with the refusal, so that the saga ends as superseded. */
function replaced(userId: string): SagaData {
  const message = `user ${userId} was replaced by batch_init during the checkout`;
  return { code: 'conflict', message, isSuperseded: true };
}
