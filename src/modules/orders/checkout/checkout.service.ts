import { AppError, type OperationStamp, type Timers } from '../../../kernel/index.js';
import type { ShopGate } from '../../shop-sets/index.js';
import type { Checkout } from './checkout.js';
import type { CheckoutSagas, StartedCheckout } from './checkout-sagas.js';
import type { NewSaga } from './start-checkout.js';
import type { CheckoutRepository } from './checkout.repository.js';

/** More than that would only wait for memory. Clients count a 503 as sold, so a full queue is told as 429. */
export const MAX_CHECKOUTS = 10_000;

export interface CheckoutPorts {
  /** Inside work of the write executor of `orders.db`: see `startCheckout`. */
  readonly start: (saga: NewSaga) => StartedCheckout;
  readonly gate: Pick<ShopGate, 'enterCheckout'>;
  readonly sagas: Pick<CheckoutSagas, 'begin' | 'ended'>;
  readonly checkouts: Pick<CheckoutRepository, 'find'>;
  readonly timers: Timers;
  /** How long a checkout is waited for, counted from its request. */
  readonly timeoutMs: number;
}

/** `running`: the saga goes on, and nobody knows yet how it ends; `ended` resolves when it has. */
export type CheckoutOutcome =
  | { readonly state: 'ended'; readonly checkout: Checkout }
  | { readonly state: 'running'; readonly ended: Promise<void> };

export class CheckoutService {
  private underWay = 0;

  constructor(private readonly ports: CheckoutPorts) {}

  /**
   * Buys the order: takes the stock, charges the user, and marks the order as paid, or gives everything back. Rejects, with
   * nothing written, with `too-many-checkouts`, `not-found`, `validation-failed` or `conflict`.
   */
  async checkOut(orderId: string, operation: OperationStamp): Promise<CheckoutOutcome> {
    if (this.underWay >= MAX_CHECKOUTS) throw tooMany();
    const leave = this.ports.gate.enterCheckout();
    this.underWay += 1;
    const patience = this.patience();
    try {
      const number = await this.ports.sagas
        .begin((number) => this.ports.start({ orderId, operation, number }))
        .finally(leave);
      const ended = this.ports.sagas.ended(number);
      const isOver = await Promise.race([ended.then(() => true), patience.over]);
      const checkout = isOver ? this.ports.checkouts.find(number) : undefined;
      return checkout === undefined ? { state: 'running', ended } : { state: 'ended', checkout };
    } finally {
      patience.cancel();
      this.underWay -= 1;
    }
  }

  private patience(): { readonly over: Promise<false>; readonly cancel: () => void } {
    let cancel: () => void = () => undefined;
    const over = new Promise<false>((resolve) => {
      cancel = this.ports.timers.after(this.ports.timeoutMs, () => {
        resolve(false);
      });
    });
    return { over, cancel };
  }
}

function tooMany(): AppError {
  return new AppError(
    'too-many-checkouts',
    `${String(MAX_CHECKOUTS)} checkouts are already in progress; nothing was written`,
    { retry: 'safe', retryAfterSeconds: 1 },
  );
}
