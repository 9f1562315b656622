import type { SeededRandom } from './seeded-random.js';
import { unbalancedIn } from './shop-balance.js';
import { inParallel, type Sent, type ShopClients } from './shop-clients.js';

const USERS = 10;
const FUNDS = 25;
const ITEMS = 4;
const STOCK = 30;
const PRICE = 2;
const WIDTH = 20;

interface Bought {
  readonly order: string;
  /** Of its one checkout; the last answer is that of the repeat. */
  answer: Sent | undefined;
}

/** Users with some credit, items with some stock, and orders that are checked out once each, with a key. */
export class AuditedCheckouts {
  private readonly bought: Bought[] = [];
  private users: readonly string[] = [];
  private items: readonly string[] = [];

  constructor(private readonly random: SeededRandom) {}

  async prepare(shop: ShopClients): Promise<void> {
    this.users = await inParallel(USERS, WIDTH, async () => {
      const id = String((await shop.json('POST', '/payment/create_user'))['user_id']);
      await shop.json('POST', `/payment/add_funds/${id}/${String(FUNDS)}`);
      return id;
    });
    this.items = await inParallel(ITEMS, WIDTH, async () => {
      const id = String((await shop.json('POST', `/stock/item/create/${String(PRICE)}`))['item_id']);
      await shop.json('POST', `/stock/add/${id}/${String(STOCK)}`);
      return id;
    });
  }

  /** Makes an order of two pieces and checks it out. Rejects when the connection ends without an answer. */
  async buyOne(shop: ShopClients): Promise<void> {
    const user = this.users[this.random.below(USERS)] ?? '';
    const order = String((await shop.json('POST', `/orders/create/${user}`))['order_id']);
    for (let line = 0; line < 2; line += 1) {
      const item = this.items[this.random.below(ITEMS)] ?? '';
      await shop.json('POST', `/orders/addItem/${order}/${item}/1`);
    }
    const one: Bought = { order, answer: undefined };
    this.bought.push(one);
    one.answer = await checkOut(shop, order);
  }

  /** Repeats every checkout with its key. What is not as its client was told, in words. */
  async wrongIn(shop: ShopClients): Promise<readonly string[]> {
    const wrong: string[] = [];
    await inParallel(this.bought.length, WIDTH, async (index) => {
      const one = this.bought[index];
      if (one === undefined) return;
      const { status, text } = await checkOut(shop, one.order);
      const { answer } = one;
      if (answer && (answer.status !== status || answer.text !== text)) {
        wrong.push(`${one.order}: ${String(answer.status)} ${answer.text}, then ${String(status)} ${text}`);
      }
      const { paid } = await shop.json('GET', `/orders/find/${one.order}`);
      if (paid !== (status === 200)) wrong.push(`${one.order}: ${String(status)}, paid: ${String(paid)}`);
      if (status !== 200 && status !== 409) wrong.push(`${one.order}: ${String(status)} ${text}`);
    });
    return wrong;
  }

  /** See `shop-balance.ts`. */
  unbalancedIn(directory: string): readonly string[] {
    return unbalancedIn(directory, { funded: USERS * FUNDS, delivered: ITEMS * STOCK });
  }

  /** Paid, refused, and without an answer, so far. */
  get counts(): { readonly paid: number; readonly refused: number; readonly unanswered: number } {
    const of = (status: number | undefined): number =>
      this.bought.filter(({ answer }) => answer?.status === status).length;
    return { paid: of(200), refused: of(409), unanswered: of(undefined) };
  }
}

function checkOut(shop: ShopClients, order: string): Promise<Sent> {
  return shop.send('POST', `/orders/checkout/${order}`, { 'idempotency-key': `buy ${order}` });
}

/** Resolves when no checkout runs and none is parked. */
export async function expectNoneOpen(shop: ShopClients): Promise<void> {
  for (const state of ['running', 'parked']) {
    const left = (await shop.send('GET', `/sagas?state=${state}`)).text;
    if (left !== '[]') throw new Error(`${state}: ${left}`);
  }
}
