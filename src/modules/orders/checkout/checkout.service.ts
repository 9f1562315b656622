import { AppError, type OperationStamp, type Timers } from '../../../kernel/index.js';
import type { ShopGate } from '../../shop-sets/index.js';
import type { Checkout } from './checkout.js';
import type { CheckoutSagas, StartedCheckout } from './checkout-sagas.js';
import type { NewSaga } from './start-checkout.js';
import type { CheckoutRepository } from './checkout.repository.js';

/** Each takes memory until it has ended, parked or not. Clients count a 503 as sold, so a full queue is told as 429. */
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
    const patience = this.patience();
    try {
      const { number, ended } = await this.begin({ orderId, operation }).finally(leave);
      const isOver = await Promise.race([ended.then(() => true), patience.over]);
      const checkout = isOver ? this.ports.checkouts.find(number) : undefined;
      return checkout === undefined ? { state: 'running', ended } : { state: 'ended', checkout };
    } finally {
      patience.cancel();
    }
  }

  /** The checkout has its place in the queue until it has ended, also when nobody waits for it any more. */
  private async begin(
    about: Omit<NewSaga, 'number'>,
  ): Promise<{ readonly number: number; readonly ended: Promise<void> }> {
    const { sagas, start } = this.ports;
    this.underWay += 1;
    const leave = (): void => {
      this.underWay -= 1;
    };
    try {
      const number = await sagas.begin((next) => start({ ...about, number: next }));
      return { number, ended: sagas.ended(number).then(leave) };
    } catch (error) {
      leave();
      throw error;
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
