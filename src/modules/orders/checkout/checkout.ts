import type { ErrorCode, OperationStamp } from '../../../kernel/index.js';
import type { OrderLine } from '../order.js';

/** Why a checkout was refused. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** `superseded`: `batch_init` replaced the order, its user or an item while the checkout was parked and held nothing. */
export const CHECKOUT_STATES = ['running', 'completed', 'refused', 'superseded'] as const;
export type CheckoutState = (typeof CHECKOUT_STATES)[number];

/** One attempt to buy an order: a saga, and the operation of the request that started it. */
export interface Checkout {
  /** Rises from checkout to checkout. */
  readonly number: number;
  readonly orderId: string;
  readonly userId: string;
  /** The order's lines with the prices of the moment at which the checkout started: exactly these are charged. */
  readonly lines: readonly OrderLine[];
  readonly total: number;
  readonly state: CheckoutState;
  /** Present where the state is `refused` or `superseded`. */
  readonly refusal: Refusal | undefined;
  /** The id of the operation is that of the saga. */
  readonly operation: OperationStamp;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
}

export type NewCheckout = Pick<Checkout, 'orderId' | 'userId' | 'lines' | 'total' | 'operation' | 'startedAtMs'>;

/** How a checkout ended. */
export type CheckoutEnd = Pick<Checkout, 'refusal'> & {
  readonly state: Exclude<CheckoutState, 'running'>;
  readonly endedAtMs: number;
};
