import type { Clock, Random, Timers } from '../../kernel/index.js';
import { BatchInit, batchInitAnswer, type ShopGate } from '../shop-sets/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import type { Checkout, CheckoutEnd } from './checkout/checkout.js';
import type { CheckoutRepository } from './checkout/checkout.repository.js';
import type { OrderRepository } from './order.repository.js';

const ROWS_PER_COMMIT = 500;
const BYTES_PER_CHOICE = 4;
/** Of a row: a user and two items. */
const CHOICES_PER_ROW = 3;

interface Parameters {
  readonly [name: string]: number;
  readonly items: number;
  readonly users: number;
  readonly itemPrice: number;
}

/**
 * Orders of two random items each, by random users; ids of items and users are "0" and on. A checkout of an order that is replaced
 * holds nothing yet, for the gate lets in no other: it ends as superseded in the same commit.
 */
export class OrderBatchInit extends BatchInit<Parameters> {
  constructor(
    file: OpenSqlFile,
    gate: ShopGate,
    { timers, random, clock }: { readonly timers: Timers; readonly random: Random; readonly clock: Clock },
    { orders, checkouts }: { readonly orders: OrderRepository; readonly checkouts: CheckoutRepository },
  ) {
    super(file, gate, timers, {
      rows: 'orders',
      rowsPerCommit: ROWS_PER_COMMIT,
      write: (_scope, { from, to, setNumber }, { items, users, itemPrice: price }) => {
        for (const checkout of checkouts.runningOfOrders(from, to)) {
          checkouts.end(checkout, { ...superseded(checkout), endedAtMs: clock.nowMs() });
        }
        const choose = choices(random, CHOICES_PER_ROW * (to - from));
        for (let row = from; row < to; row += 1) {
          const lines = [choose(items), choose(items)].map((itemId) => ({ itemId, quantity: 1, price }));
          orders.put({ id: String(row), userId: choose(users), state: 'open', sagaNumber: null, lines, setNumber });
        }
      },
      answerOf: batchInitAnswer,
    });
  }
}

function superseded({ orderId }: Checkout): Pick<CheckoutEnd, 'state' | 'refusal'> {
  const message = `order ${orderId} was replaced by batch_init before anything was taken`;
  return { state: 'superseded', refusal: { code: 'conflict', message } };
}

/** Chooses one of the ids "0" to `count` - 1, at most `most` times. */
function choices(random: Random, most: number): (count: number) => string {
  const bytes = Buffer.from(random.bytes(BYTES_PER_CHOICE * most));
  let at = 0;
  return (count) => {
    const chosen = bytes.readUInt32LE(at) % count;
    at += BYTES_PER_CHOICE;
    return String(chosen);
  };
}
