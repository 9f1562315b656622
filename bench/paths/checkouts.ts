import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { CONNECTIONS, drive } from '../load.js';
import { type ServerProcess, startApp, startBaseline } from '../processes.js';

const ORDERS = 100_000;
const MANY_ORDERS = 1_000_000;
const FEW_ORDERS = 1_000;
const ITEMS = 100;
const USERS = 100;
/** Enough for every checkout of a run. */
const PLENTY = 10_000_000;
const PRICE = 1;
const ITEMS_PER_ORDER = 2;
const WARM_UP_SECONDS = 2;
const PATH = '/orders/checkout/{n}';

/** A shop whose orders are checked out one after the other, each once. */
class Shop {
  private next = -1;

  private constructor(readonly app: ServerProcess) {}

  static async open(app: ServerProcess, orders: number): Promise<Shop> {
    const shop = new Shop(app);
    await shop.fill(orders);
    return shop;
  }

  /** Users, items and `orders` orders anew. */
  async fill(orders: number): Promise<void> {
    for (const path of [
      `/payment/batch_init/${String(USERS)}/${String(PLENTY)}`,
      `/stock/batch_init/${String(ITEMS)}/${String(PLENTY)}/${String(PRICE)}`,
      `/orders/batch_init/${String(orders)}/${String(ITEMS)}/${String(USERS)}/${String(PRICE)}`,
    ]) {
      const response = await fetch(this.app.url + path, { method: 'POST' });
      expect(response.status === 200, `${path} was answered with ${response.status}: ${await response.text()}`);
    }
    this.next = -1;
  }

  /** Resolves to checkouts per second. Rejects unless what was sold and charged is what was answered. */
  async load({ load }: Bench, seconds: number, connections: number): Promise<number> {
    const before = await this.takings();
    const posts = { path: PATH, firstNumber: this.next };
    const { answered, perSecond } = await drive(load, { url: this.app.url + '/', seconds, connections, posts });
    // The generator may have sent as many more as it has connections.
    this.next += answered + connections;
    await this.check(before, answered, answered + connections);
    return perSecond;
  }

  /** Checks out exactly `count` orders, and resolves to checkouts per second. */
  async checkOut(count: number): Promise<number> {
    const before = await this.takings();
    const pool = new Pool(this.app.url, { connections: CONNECTIONS });
    const until = this.next + count;
    const worker = async (): Promise<void> => {
      while (this.next < until) {
        this.next += 1;
        const answer = await pool.request({ path: PATH.replace('{n}', String(this.next)), method: 'POST' });
        await answer.body.dump();
        expect(answer.statusCode === 200, `a checkout was answered with ${answer.statusCode}`);
      }
    };
    const from = performance.now();
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    const perSecond = count / ((performance.now() - from) / 1_000);
    await pool.close();
    await this.check(before, count, count);
    return perSecond;
  }

  private async check(before: Takings, least: number, most: number): Promise<void> {
    const after = await this.takings();
    const sold = (before.stock - after.stock) / ITEMS_PER_ORDER;
    const paid = (before.credit - after.credit) / (ITEMS_PER_ORDER * PRICE);
    for (const [what, count] of [
      ['sold', sold],
      ['paid', paid],
    ] as const) {
      expect(count >= least && count <= most, `${least} to ${most} checkouts, but ${count} orders were ${what}`);
    }
  }

  /** The stock of all items and the credit of all users. */
  private async takings(): Promise<Takings> {
    const sum = async (path: string, count: number, field: string): Promise<number> => {
      const rows = await Promise.all(
        Array.from({ length: count }, async (_, id) => {
          const response = await fetch(`${this.app.url}${path}/${String(id)}`);
          return ((await response.json()) as Record<string, number>)[field] ?? NaN;
        }),
      );
      return rows.reduce((total, value) => total + value, 0);
    };
    return {
      stock: await sum('/stock/find', ITEMS, 'stock'),
      credit: await sum('/payment/find_user', USERS, 'credit'),
    };
  }
}

interface Takings {
  readonly stock: number;
  readonly credit: number;
}

function directoryOf(bench: Bench, name: string): string {
  const directory = join(bench.directory, name);
  rmSync(directory, { recursive: true, force: true });
  return directory;
}

async function onOneConnection(bench: Bench): Promise<readonly Round[]> {
  const directory = directoryOf(bench, 'checkout-one');
  const app = await startApp(bench, join(directory, 'app'));
  const bare = await startBaseline(bench, 'five-commits', join(directory, 'bare'), { FILE: join(directory, 'bare') });
  const loadBare = async (seconds = bench.seconds): Promise<number> => {
    const posts = { path: PATH, firstNumber: 0 };
    return (await drive(bench.load, { url: bare.url + '/', seconds, connections: 1, posts })).perSecond;
  };
  try {
    const shop = await Shop.open(app, ORDERS);
    await shop.load(bench, WARM_UP_SECONDS, 1);
    await loadBare(WARM_UP_SECONDS);
    return await interleave(bench.rounds, () => shop.load(bench, bench.seconds, 1), loadBare);
  } finally {
    await app.kill();
    await bare.kill();
  }
}

async function manyConnections(bench: Bench): Promise<readonly Round[]> {
  const app = await startApp(bench, directoryOf(bench, 'checkout-many'));
  try {
    const shop = await Shop.open(app, ORDERS);
    await shop.load(bench, WARM_UP_SECONDS, CONNECTIONS);
    return await interleave(
      bench.rounds,
      () => shop.load(bench, bench.seconds, CONNECTIONS),
      () => shop.load(bench, bench.seconds, 1),
    );
  } finally {
    await app.kill();
  }
}

/** Both shops stay open and take turns; the few orders are made anew for each turn. */
async function manyOrders(bench: Bench): Promise<readonly Round[]> {
  const directory = directoryOf(bench, 'checkout-large');
  const apps = await Promise.all(['many', 'few'].map((name) => startApp(bench, join(directory, name))));
  try {
    const [many, few] = (await Promise.all(
      apps.map((app, index) => Shop.open(app, index === 0 ? MANY_ORDERS : FEW_ORDERS)),
    )) as [Shop, Shop];
    const ofFew = async (): Promise<number> => {
      await few.fill(FEW_ORDERS);
      return few.checkOut(FEW_ORDERS);
    };
    await many.checkOut(FEW_ORDERS);
    await ofFew();
    return await interleave(bench.rounds, () => many.checkOut(FEW_ORDERS), ofFew);
  } finally {
    for (const app of apps) await app.kill();
  }
}

const base = { unit: 'requests/s', better: 'higher' } as const;

export const CHECKOUTS: readonly Figure[] = [
  {
    ...base,
    name: 'checkout-one',
    title: 'Checkouts of two items on one connection against a bare server with five SQLite commits in three files',
    must: 0.5,
    aim: 0.7,
    measure: onOneConnection,
  },
  {
    ...base,
    name: 'checkout',
    title: 'Checkouts of two items on 50 connections against one connection',
    must: 4,
    aim: 10,
    measure: manyConnections,
  },
  {
    ...base,
    name: 'checkout-large',
    title: 'Checkouts with 1,000,000 orders against with 1,000',
    must: 0.8,
    aim: 0.95,
    measure: manyOrders,
  },
];
