import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { RedisQuota } from '../../src/platform/redis/index.js';
import { deriveKey } from '../../src/platform/secrets/index.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { describeOnRedis } from '../support/redis-cluster.js';
import { redisSettings } from '../support/redis-shop.js';
import { inParallel, type Sent, ShopClients } from '../support/shop-clients.js';

const CHECKOUTS = 1_000;
/** Sent before the kill; the others follow it. */
const EARLIER = 500;
const PRICE = 5;
const WIDTH = 50;
const SECRET = 'a secret for tests only';
/** Far longer than a kill takes: when the master dies, every checkout that was sent is still open. */
const DELIVERY_DELAY_MS = '3000';
const WITHIN_MS = 300_000;

/** What decides the answer to an order, whatever happens to the others. */
const KINDS = [
  { credit: PRICE, stock: CHECKOUTS, answer: '200 paid' },
  { credit: PRICE - 1, stock: CHECKOUTS, answer: '409 too-little-credit' },
  { credit: PRICE, stock: 0, answer: '409 too-little-stock' },
] as const;

describeOnRedis('with a master of the Redis Cluster killed during 1,000 checkouts at once', (redis) => {
  let directory: string;
  let app: AppProcess;
  let clients: ShopClients;

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory, {
      ...redisSettings(redis()),
      ...{ CLUSTER_SECRET: SECRET, RATE_LIMIT: '1000000' },
      ...{ FAULTS: '1', SAGA_DELIVERY_DELAY_MS: DELIVERY_DELAY_MS, CHECKOUT_TIMEOUT_MS: '100000' },
    });
    clients = new ShopClients(app.url);
  });

  afterEach(async () => {
    clients.close();
    await app.kill();
    removeDirectory(directory);
  });

  /** The key in Redis that counts the requests of this machine. */
  const counter = (): string => {
    const asked = { isReady: true, call: () => Promise.reject(new Error('not asked')) };
    return new RedisQuota(asked, () => deriveKey(SECRET, 'quota')).keyOf('from 127.0.0.1');
  };

  const json = async (method: 'GET' | 'POST', path: string): Promise<Record<string, unknown>> =>
    clients.json(method, path);

  const newUser = async (credit: number): Promise<string> => {
    const id = String((await json('POST', '/payment/create_user'))['user_id']);
    await json('POST', `/payment/add_funds/${id}/${String(credit)}`);
    return id;
  };

  const newItem = async (stock: number): Promise<string> => {
    const id = String((await json('POST', `/stock/item/create/${String(PRICE)}`))['item_id']);
    await json('POST', `/stock/add/${id}/${String(stock)}`);
    return id;
  };

  it(
    'gives each the answer that it would get without the failover, refuses none as too many, and all adds up',
    async () => {
      const items = await Promise.all(KINDS.map(({ stock }) => newItem(stock)));
      const orders = await inParallel(CHECKOUTS, WIDTH, async (index) => {
        const kind = index % KINDS.length;
        const { credit = 0, answer = '' } = KINDS[kind] ?? {};
        const user = await newUser(credit);
        const id = String((await json('POST', `/orders/create/${user}`))['order_id']);
        await json('POST', `/orders/addItem/${id}/${items[kind] ?? ''}/1`);
        return { id, user, credit, answer };
      });
      const master = await redis().masterOf(counter());
      const successor = await redis().replicaOf(master);
      expect(Number(await redis().on(master, (node) => node.get(counter())))).toBeGreaterThan(CHECKOUTS);
      let answered = 0;
      const checkOut = async ({ id }: { readonly id: string }): Promise<Sent> => {
        const sent = await clients.send('POST', `/orders/checkout/${id}`);
        answered += 1;
        return sent;
      };

      const earlier = orders.slice(0, EARLIER).map(checkOut);
      await redis().kill(master);
      const answeredBefore = answered;
      const later = orders.slice(EARLIER).map(checkOut);
      await redis().waitForRoles([[successor, 'master']]);
      const answers = await Promise.all([...earlier, ...later]);

      const toldTo = ({ status, text }: Sent): string => {
        const { code, paid } = JSON.parse(text) as { code?: string; paid?: boolean };
        return `${String(status)} ${code ?? (paid === true ? 'paid' : text)}`;
      };
      expect(answers.map(toldTo)).toEqual(orders.map(({ answer }) => answer));
      expect(answeredBefore).toBe(0);
      const sold = orders.filter(({ answer }) => answer === '200 paid').length;
      const stocks = await Promise.all(items.map((id) => json('GET', `/stock/find/${id}`)));
      expect(stocks.map(({ stock }) => stock)).toEqual([CHECKOUTS - sold, CHECKOUTS, 0]);
      const found = await inParallel(CHECKOUTS, WIDTH, async (index) => {
        const { id = '', user = '' } = orders[index] ?? {};
        const [order, account] = await Promise.all([
          json('GET', `/orders/find/${id}`),
          json('GET', `/payment/find_user/${user}`),
        ]);
        return [order['paid'], account['credit']];
      });
      expect(found).toEqual(
        orders.map(({ answer, credit }) => (answer === '200 paid' ? [true, credit - PRICE] : [false, credit])),
      );
      expect(app.printed).toBe('');
    },
    WITHIN_MS,
  );
});
