import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { StandbyProcess } from '../support/standby-process.js';
import type { ExitOf } from '../support/server-process.js';
import { eventually } from '../support/eventually.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { unbalancedIn } from '../support/shop-balance.js';
import { inParallel, type Sent, ShopClients } from '../support/shop-clients.js';

const SETTINGS = { LOG_LEVEL: 'silent' };
const USERS = 10;
const FUNDS = 25;
const ITEMS = 4;
const STOCK = 30;
const PRICE = 2;
const WIDTH = 20;
const ENDS_WITHIN_MS = 60_000;

interface Bought {
  readonly order: string;
  /** Of its one checkout; the last answer is that of the repeat. */
  answer: Sent | undefined;
}

export type CheckoutDeath = ExitOf & { readonly when: 'while starting' | 'under load' };

/** One data directory of a shop, and the many lives of the app on it. Each order is checked out once, with a key. */
export class CheckoutHistory {
  readonly directory = temporaryDirectory();
  private readonly bought: Bought[] = [];
  private app: AppProcess | undefined;
  private standby: StandbyProcess | undefined;
  private users: readonly string[] = [];
  private items: readonly string[] = [];

  /** `next`: what follows a life that dies under load: another start, or a standby that already waits. */
  constructor(
    private readonly random: SeededRandom,
    private readonly next: 'restart' | 'standby' = 'restart',
  ) {}

  async begin(): Promise<void> {
    await this.live({}, async (shop) => {
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
    });
  }

  async end(): Promise<void> {
    await this.standby?.kill();
    await this.app?.kill();
    removeDirectory(this.directory);
  }

  /** A life that dies at this crash site, under load or in its start. Undefined: `count` orders did not reach it. */
  async dieAt(crashSite: string, count: number): Promise<CheckoutDeath | undefined> {
    const app = AppProcess.spawn(this.directory, { ...SETTINGS, FAULTS: '1', CRASH_SITE: crashSite });
    this.app = app;
    const isReady = await app.ready().then(
      () => true,
      () => false,
    );
    if (!isReady) return { ...(await app.exited), when: 'while starting' };
    if (this.next === 'standby') this.standby = await StandbyProcess.start(this.directory, SETTINGS);
    const isOver = await this.buy(app, count).catch(() => false);
    return isOver ? undefined : { ...(await app.exited), when: 'under load' };
  }

  /** A life that is killed once so many checkouts have been answered. */
  async killAfter(answers: number, count: number): Promise<void> {
    const app = await AppProcess.start(this.directory, SETTINGS);
    this.app = app;
    await this.buy(app, count, (answered) => {
      if (answered === answers) void app.kill();
    }).catch(() => undefined);
    await app.kill();
  }

  /**
   * A life without faults, in which every checkout is repeated with its key, then all that is not as its clients were told. All
   * sagas end in it, none is parked.
   */
  async audit(): Promise<readonly string[]> {
    const wrong: string[] = [];
    await this.live({}, async (shop) => {
      await eventually(
        async () => {
          for (const state of ['running', 'parked']) {
            const left = (await shop.send('GET', `/sagas?state=${state}`)).text;
            if (left !== '[]') throw new Error(`${state}: ${left}`);
          }
        },
        { withinMs: ENDS_WITHIN_MS },
      );
      await inParallel(this.bought.length, WIDTH, async (index) => {
        const one = this.bought[index];
        if (one === undefined) return;
        const { status, text } = await this.checkOut(shop, one.order);
        const { answer } = one;
        if (answer && (answer.status !== status || answer.text !== text)) {
          wrong.push(`${one.order}: ${String(answer.status)} ${answer.text}, then ${String(status)} ${text}`);
        }
        const { paid } = await shop.json('GET', `/orders/find/${one.order}`);
        if (paid !== (status === 200)) wrong.push(`${one.order}: ${String(status)}, paid: ${String(paid)}`);
        if (status !== 200 && status !== 409) wrong.push(`${one.order}: ${String(status)} ${text}`);
      });
    });
    return [...wrong, ...unbalancedIn(this.directory, { funded: USERS * FUNDS, delivered: ITEMS * STOCK })];
  }

  /** Paid and refused, so far. */
  get counts(): { readonly paid: number; readonly refused: number } {
    const of = (status: number): number => this.bought.filter(({ answer }) => answer?.status === status).length;
    return { paid: of(200), refused: of(409) };
  }

  private async live(environment: Record<string, string>, work: (shop: ShopClients) => Promise<void>): Promise<void> {
    await this.app?.kill();
    this.app = this.standby ?? (await AppProcess.start(this.directory, { ...SETTINGS, ...environment }));
    await this.standby?.promoted();
    this.standby = undefined;
    const shop = new ShopClients(this.app.url);
    await work(shop).finally(() => {
      shop.close();
    });
    await this.app.stop();
  }

  /** True when all `count` new orders were answered. */
  private async buy(app: AppProcess, count: number, answered?: (count: number) => void): Promise<boolean> {
    const shop = new ShopClients(app.url);
    let answers = 0;
    try {
      await inParallel(count, WIDTH, async () => {
        const user = this.users[this.random.below(USERS)] ?? '';
        const order = String((await shop.json('POST', `/orders/create/${user}`))['order_id']);
        for (let line = 0; line < 2; line += 1) {
          const item = this.items[this.random.below(ITEMS)] ?? '';
          await shop.json('POST', `/orders/addItem/${order}/${item}/1`);
        }
        const one: Bought = { order, answer: undefined };
        this.bought.push(one);
        const answer = await this.checkOut(shop, order);
        one.answer = answer;
        answered?.((answers += 1));
      });
      return true;
    } finally {
      shop.close();
    }
  }

  private checkOut(shop: ShopClients, order: string): Promise<Sent> {
    return shop.send('POST', `/orders/checkout/${order}`, { 'idempotency-key': `buy ${order}` });
  }
}
