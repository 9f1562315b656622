import { join } from 'node:path';
import { startCheckout } from '../../src/modules/orders/checkout/start-checkout.js';
import {
  CHECKOUT,
  CheckoutRepository,
  CheckoutSagas,
  ORDERS_STORE,
  SagaService,
} from '../../src/modules/orders/index.js';
import { OrderBatchInit } from '../../src/modules/orders/order-batch-init.js';
import { OrderRepository } from '../../src/modules/orders/order.repository.js';
import { PAYMENT_STORE } from '../../src/modules/payment/index.js';
import { PaymentBatchInit } from '../../src/modules/payment/payment-batch-init.js';
import { PaymentRepository } from '../../src/modules/payment/payment.repository.js';
import { ShopGate } from '../../src/modules/shop-sets/index.js';
import { STOCK_STORE } from '../../src/modules/stock/index.js';
import { StockBatchInit } from '../../src/modules/stock/stock-batch-init.js';
import { StockRepository } from '../../src/modules/stock/stock.repository.js';
import type { OpenSqlFile, SqlStore } from '../../src/modules/store-registration/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { nextTurn, systemClock } from '../../src/platform/process/index.js';
import { PLATFORM_MIGRATIONS, SqlOperationLedger } from '../../src/platform/sql/index.js';
import { SagaRelay, SqlSagaFile } from '../../src/protocols/saga/index.js';
import { BOOKS_MIGRATIONS, openDatabase } from './books-database.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { SeededRandom } from './seeded-random.js';

export const ROWS = ['orders', 'users', 'items'] as const;
export type Rows = (typeof ROWS)[number];

/** More than one commit writes. */
const ORDERS = 600;
const STORES = { orders: ORDERS_STORE, users: PAYMENT_STORE, items: STOCK_STORE };
const MIGRATIONS: Readonly<Record<Rows, SqlStore['migrations']>> = {
  orders: [...PLATFORM_MIGRATIONS, ...ORDERS_STORE.migrations],
  users: [...PLATFORM_MIGRATIONS, ...PAYMENT_STORE.migrations],
  items: BOOKS_MIGRATIONS,
};

export type CheckoutShop = Awaited<ReturnType<typeof openCheckoutShop>>;

/**
 * One incarnation of the shop's own modules on real SQL files, without HTTP. Its `batch_init` makes user "0" with a credit of 100, 5
 * pieces of item "0" for 5 each, and orders of two of them by that user.
 */
export async function openCheckoutShop(directory: string) {
  const open = async (rows: Rows): Promise<OpenSqlFile> => {
    const database = await openDatabase({
      ...{ file: join(directory, `${rows}.db`), entities: [], migrations: MIGRATIONS[rows] },
    });
    return { database, operations: new SqlOperationLedger(database, systemClock) };
  };
  const files = { orders: await open('orders'), users: await open('users'), items: await open('items') };
  const orders = new OrderRepository(files.orders.database);
  const checkouts = new CheckoutRepository(files.orders.database);
  const users = new PaymentRepository(files.users.database);
  const items = new StockRepository(files.items.database);
  const ports = {
    ...{ timers: PROMPT_TIMERS, clock: systemClock, random: new SeededRandom(1), crashSites: NO_CRASH_SITES },
    ...{ log: new RecordingLog(), deliveryDelayMs: 0 },
  };

  /** Steps that throw, so that their events are parked. */
  const broken = new Set<string>();
  /** The steps that ran. */
  const ran: string[] = [];
  const sagaFileOf = (rows: Rows): SqlSagaFile => {
    const { saga } = STORES[rows].serve(files[rows]);
    const steps = Object.entries(saga!.steps).map(([step, work]): [string, typeof work] => [
      step,
      (...given) => {
        if (broken.has(step)) throw new Error(`${step} is broken`);
        ran.push(step);
        return work(...given);
      },
    ]);
    return new SqlSagaFile(ports, CHECKOUT, { ...saga!, steps: Object.fromEntries(steps) });
  };
  const sagaFile = sagaFileOf('orders');
  const relay = new SagaRelay(ports, CHECKOUT, [sagaFile, sagaFileOf('users'), sagaFileOf('items')]);
  const { writer } = files.orders.database;
  const sagas = new CheckoutSagas({ relay, file: sagaFile, writer, timeoutMs: 1_000 });
  const gate = new ShopGate();
  gate.begun = sagas;

  let operations = 0;
  const operation = () => ({ id: `operation-${String((operations += 1))}` });
  const sets = {
    orders: new OrderBatchInit(files.orders, gate, ports, { orders, checkouts }),
    users: new PaymentBatchInit(files.users, gate, PROMPT_TIMERS, users),
    items: new StockBatchInit(files.items, gate, PROMPT_TIMERS, items),
  };
  const begin = (orderId: string): Promise<number> => {
    const queries = {
      userSet: (id: string) => users.find(id)!.setNumber,
      items: (ids: readonly string[]) => new Map(ids.map((id) => [id, items.find(id)!])),
    };
    const leave = gate.enterCheckout();
    return sagas
      .begin((number) =>
        startCheckout({ orders, checkouts, queries, clock: systemClock }, { orderId, operation: operation(), number }),
      )
      .finally(leave);
  };

  return {
    ...{ broken, ran, relay, sets, begin, files },
    service: new SagaService(checkouts, relay, CHECKOUT, nextTurn),
    batchInit: {
      orders: () => sets.orders.run(ORDERS, { items: 1, users: 1, itemPrice: 5 }, operation()),
      users: () => sets.users.run(1, { startingMoney: 100 }, operation()),
      items: () => sets.items.run(1, { stock: 5, price: 5 }, operation()),
    },
    /** As a start does: what an earlier incarnation has left is finished. */
    recover: async () => {
      for (const set of Object.values(sets)) await set.finish();
      await relay.start(({ number }) => checkouts.find(number)?.state === 'superseded');
    },
    ended: (number: number) => sagas.ended(number),
    /** The user's money, the item's pieces, the order and the checkout. */
    shown: (orderId: string, number: number) => {
      const { credit, held, charged } = users.find('0')!;
      const { stock, sold } = items.find('0')!;
      const states = { order: orders.find(orderId)!.state, checkout: checkouts.find(number)!.state };
      return { ...{ credit, held, charged, stock, sold }, ...states };
    },
    close: async () => {
      for (const set of Object.values(sets)) await set.onModuleDestroy();
      await relay.stop();
      for (const { database } of Object.values(files)) await database.close();
    },
  };
}
