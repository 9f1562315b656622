import type { LostSaga } from '../../../protocols/saga/index.js';

/** What the events of a checkout carry. */
interface OrderedCheckout {
  readonly orderId: string;
  readonly userId: string;
  readonly total: number;
  readonly lines: readonly (readonly [itemId: string, quantity: number])[];
}

/** What is lost of a checkout and how it ends, for a person. */
export function lossOf(saga: LostSaga): string {
  const { orderId, userId, total } = orderedOf(saga);
  const isRecorded = (step: string): boolean => saga.ending.some((one) => one.type === 'record' && one.step === step);
  const order = `order ${orderId} of user ${userId}`;
  if (!saga.isCompleted) {
    const isVoided = saga.ending.some(({ type, step }) => type === 'do' && step === 'void');
    return `taken back: the checkout of ${order}; ${isVoided ? `${String(total)} of credit is given back` : 'nothing is held or charged'}`;
  }
  const lost = [
    ...(isRecorded('start') ? [`${order}, paid with ${String(total)}: what was charged and sold for it stays so`] : []),
    ...(isRecorded('authorise') ? [`the charge of ${String(total)} to user ${userId} for order ${orderId}`] : []),
    ...(isRecorded('take') ? [`the sale of ${soldOf(saga)} for order ${orderId}`] : []),
  ];
  return lost.length === 0
    ? `done again: what was left of the checkout of ${order}, which is paid`
    : `lost: ${lost.join('; ')}`;
}

/** The sums of what is lost. */
export class Losses {
  private orders = 0;
  private credit = 0;
  private pieces = 0;

  add({ isCompleted, ending, ...saga }: LostSaga): void {
    const { total, lines } = orderedOf(saga);
    for (const { type, step } of isCompleted ? ending : []) {
      if (type !== 'record') continue;
      if (step === 'start') this.orders += 1;
      if (step === 'authorise') this.credit += total;
      if (step === 'take') this.pieces += lines.reduce((sum, [, quantity]) => sum + quantity, 0);
    }
  }

  get summary(): string {
    return (
      `Lost in all: ${String(this.orders)} paid orders, ${String(this.credit)} of charged credit, ` +
      `${String(this.pieces)} sold pieces of stock. They stay lost.`
    );
  }
}

function soldOf(saga: Pick<LostSaga, 'data'>): string {
  return orderedOf(saga)
    .lines.map(([item, quantity]) => `${String(quantity)} of item ${item}`)
    .join(' and ');
}

function orderedOf({ data }: Pick<LostSaga, 'data'>): OrderedCheckout {
  return data as unknown as OrderedCheckout;
}
