import { afterEach, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { someOf } from '../support/long-form.js';
import { SeededRandom } from '../support/seeded-random.js';
import { AIOHTTP, inParallel, LOCUST, ShopClients } from '../support/shop-clients.js';

const USERS = 1_000;
const STOCK = 100;
const WITHIN_MS = 120_000;
const WIDTH = 50;

let directory: string;
let app: AppProcess;
let clients: ShopClients;

async function startShop(
  environment: Readonly<Record<string, string>>,
  headers: Record<string, string>,
): Promise<void> {
  directory = temporaryDirectory();
  app = await AppProcess.start(directory, { FAULTS: '1', ...environment });
  clients = new ShopClients(app.url, headers);
}

afterEach(async () => {
  clients.close();
  await app.stop();
  removeDirectory(directory);
});

/** What the consistency test of the courses does: https://github.com/delftdata/wdm-project-benchmark. */
describe('the consistency test of the courses', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ...someOf<[string, Record<string, string>, Record<string, string>]>(
      [
        ['as aiohttp sends them', {}, AIOHTTP],
        ['as locust sends them', {}, LOCUST],
      ],
      1,
    ),
    ...someOf<[string, Record<string, string>, Record<string, string>]>(
      [
        ['when each event takes 40 ms', { SAGA_DELIVERY_DELAY_MS: '40' }, AIOHTTP],
        ['when each event takes 100 ms', { SAGA_DELIVERY_DELAY_MS: '100' }, AIOHTTP],
        ['when each event takes 400 ms', { SAGA_DELIVERY_DELAY_MS: '400' }, AIOHTTP],
      ],
      1,
    ),
  ])(
    '1,000 checkouts at once of an item with a stock of 100, %s: 100 are sold, and the others refused',
    async (_how, environment, headers) => {
      await startShop(environment, headers);
      const random = new SeededRandom(7);
      const item = (await clients.json('POST', '/stock/item/create/1'))['item_id'] as string;
      await clients.json('POST', `/stock/add/${item}/${String(STOCK)}`);
      const users = await inParallel(USERS, WIDTH, async () => {
        const id = (await clients.json('POST', '/payment/create_user'))['user_id'] as string;
        await clients.json('POST', `/payment/add_funds/${id}/1`);
        return id;
      });
      const orders = await inParallel(USERS, WIDTH, async () => {
        const user = users[random.below(USERS)] ?? '';
        const id = (await clients.json('POST', `/orders/create/${user}`))['order_id'] as string;
        await clients.json('POST', `/orders/addItem/${id}/${item}/1`);
        return { id, user };
      });

      const answers = await Promise.all(orders.map(({ id }) => clients.send('POST', `/orders/checkout/${id}`)));

      const sold = orders.filter((_, index) => answers[index]?.status === 200);
      const others = answers.filter(({ status }) => status !== 200).map(({ status }) => status);
      const credits = await inParallel(USERS, WIDTH, async (index) => {
        const id = users[index] ?? '';
        return [id, (await clients.json('GET', `/payment/find_user/${id}`))['credit'] as number] as const;
      });
      const paid = await inParallel(USERS, WIDTH, async (index) => {
        const { id } = orders[index] ?? { id: '' };
        return (await clients.json('GET', `/orders/find/${id}`))['paid'] === true;
      });
      expect(sold).toHaveLength(STOCK);
      expect(new Set(others)).toEqual(new Set([409]));
      expect(await clients.json('GET', `/stock/find/${item}`)).toMatchObject({ stock: 0 });
      expect(orders.filter((_, index) => paid[index])).toEqual(sold);
      expect(
        credits
          .filter(([, credit]) => credit === 0)
          .map(([id]) => id)
          .sort(),
      ).toEqual(sold.map(({ user }) => user).sort());
    },
    WITHIN_MS,
  );
});
