import type { Random, Timers } from '../../kernel/index.js';
import { BatchInit, batchInitAnswer, type ShopGate } from '../shop-sets/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
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

/** Orders of two random items each, by random users; ids of items and users are "0" and on. */
export class OrderBatchInit extends BatchInit<Parameters> {
  constructor(
    file: OpenSqlFile,
    gate: ShopGate,
    { timers, random }: { readonly timers: Timers; readonly random: Random },
    orders: OrderRepository,
  ) {
    super(file, gate, timers, {
      rows: 'orders',
      rowsPerCommit: ROWS_PER_COMMIT,
      write: (_scope, { from, to, setNumber }, { items, users, itemPrice: price }) => {
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
