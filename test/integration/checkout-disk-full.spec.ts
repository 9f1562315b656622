import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { unbalancedIn } from '../support/shop-balance.js';
import { inParallel, type Sent, ShopClients } from '../support/shop-clients.js';
import { SmallDisk } from '../support/small-disk.js';

const DISK_BYTES = 16 * 1024 * 1024;
const SETTINGS = {
  ...{ LOG_LEVEL: 'silent', FAULTS: '1', SAGA_DELIVERY_DELAY_MS: '50', CHECKOUT_TIMEOUT_MS: '2000' },
  ...{ REPLICA_TIMEOUT_MS: '50', PREPARE_DEADLINE_MS: '100', WRITE_DEADLINE_MS: '200' },
};
const USERS = 20;
const FUNDS = 10_000;
const AMPLE = 10_000;
const SCARCE = 30;
const ORDERS = 240;
const WIDTH = 60;
const ANSWERED_BEFORE_FULL = 40;
const RUNNING_WHEN_FULL = 10;
/** Longer than the budget of tries. */
const PARKS_WITHIN_MS = 90_000;
const WITHIN_MS = 240_000;

interface Bought {
  readonly order: string;
  readonly isScarce: boolean;
  readonly answer: Sent;
}

/** Every user has the credit for all orders, so nobody is ever refused for want of credit. */
describe('a disk that is full for a while during checkouts', () => {
  let disk: SmallDisk | undefined;
  let app: AppProcess;
  let shop: ShopClients;
  let orders: readonly { readonly order: string; readonly isScarce: boolean }[];

  const start = async (): Promise<void> => {
    app = await AppProcess.start(disk?.path ?? '', SETTINGS);
    shop = new ShopClients(app.url);
  };
  const stop = async (): Promise<void> => {
    shop.close();
    await app.stop();
  };
  const itemOf = async (stock: number): Promise<string> => {
    const id = String((await shop.json('POST', '/stock/item/create/2'))['item_id']);
    await shop.json('POST', `/stock/add/${id}/${String(stock)}`);
    return id;
  };
  const sagasIn = async (state: string): Promise<number> => {
    const { status, headers } = await shop.send('GET', `/sagas?limit=1&state=${state}`);
    expect(status).toBe(200);
    return Number(headers['x-total-count']);
  };
  const checkOut = (order: string): Promise<Sent> =>
    shop.send('POST', `/orders/checkout/${order}`, { 'idempotency-key': `buy ${order}` });
  /** The disk is full from the moment on at which many sagas are in the middle. */
  const checkOutAll = async (full: SmallDisk): Promise<readonly Bought[]> => {
    let answered = 0;
    const all = inParallel(ORDERS, WIDTH, async (index) => {
      const { order = '', isScarce = false } = orders[index] ?? {};
      const answer = await checkOut(order);
      answered += 1;
      return { order, isScarce, answer };
    });
    await eventually(async () => {
      expect(answered).toBeGreaterThanOrEqual(ANSWERED_BEFORE_FULL);
      expect(await sagasIn('running')).toBeGreaterThan(RUNNING_WHEN_FULL);
      full.fill();
    });
    return all;
  };
  const allParked = (): Promise<number> =>
    eventually(
      async () => {
        expect(await sagasIn('running')).toBe(0);
        return sagasIn('parked');
      },
      { withinMs: PARKS_WITHIN_MS, everyMs: 250 },
    );
  /** Whatever was answered, given these repeats of the same requests. */
  const untrue = ({ order, isScarce, answer }: Bought, repeat: Sent): readonly string[] => {
    const said = `${order}${isScarce ? ' (scarce)' : ''}: ${String(answer.status)} ${answer.text}, then ${String(repeat.status)} ${repeat.text}`;
    const isEnd = (sent: Sent): boolean => sent.status === 200 || (sent.status === 409 && isScarce);
    const isKept = answer.status === repeat.status && answer.text === repeat.text;
    const isOpen = answer.status === 202 || isRefusedByDisk(answer);
    return isEnd(repeat) && (isOpen || (isEnd(answer) && isKept)) ? [] : [said];
  };
  const isRefusedByDisk = ({ status, text, headers }: Sent): boolean =>
    status === 503 && text.includes('"code":"storage-full"') && headers['retry-after'] !== undefined;
  const expectAllEnded = async (bought: readonly Bought[]): Promise<void> => {
    expect([await sagasIn('running'), await sagasIn('parked')]).toEqual([0, 0]);
    const repeats = await inParallel(ORDERS, WIDTH, (index) => checkOut(bought[index]?.order ?? ''));
    expect(bought.flatMap((one, index) => untrue(one, repeats[index] as Sent))).toEqual([]);
    const sold = bought.filter(({ isScarce }, index) => isScarce && repeats[index]?.status === 200);
    expect(sold).toHaveLength(SCARCE);
    await stop();
    expect(unbalancedIn(disk?.path ?? '', { funded: USERS * FUNDS, delivered: AMPLE + SCARCE })).toEqual([]);
  };

  beforeEach(async () => {
    disk = SmallDisk.mountOrSayWhy(DISK_BYTES);
    if (!disk) return;
    await start();
    const users = await inParallel(USERS, WIDTH, async () => {
      const id = String((await shop.json('POST', '/payment/create_user'))['user_id']);
      await shop.json('POST', `/payment/add_funds/${id}/${String(FUNDS)}`);
      return id;
    });
    const [ample, scarce] = [await itemOf(AMPLE), await itemOf(SCARCE)];
    orders = await inParallel(ORDERS, WIDTH, async (index) => {
      const isScarce = index % 3 === 0;
      const order = String((await shop.json('POST', `/orders/create/${users[index % USERS] ?? ''}`))['order_id']);
      await shop.json('POST', `/orders/addItem/${order}/${isScarce ? scarce : ample}/1`);
      return { order, isScarce };
    });
  });

  afterEach(async () => {
    if (!disk) return;
    shop.close();
    await app.kill();
    disk.unmount();
  });

  it(
    'parks what cannot go on, answers truly, and with room again the next drain ends every saga',
    async () => {
      if (!disk) return;
      const bought = await checkOutAll(disk);
      const parked = await allParked();
      expect(parked).toBeGreaterThan(0);
      expect(bought.filter(({ answer }) => isRefusedByDisk(answer)).length).toBeGreaterThan(0);

      disk.free();
      const drain = await shop.json('POST', '/sagas/recover');

      expect([(drain['ended'] as readonly string[]).length, drain['parked']]).toEqual([parked, []]);
      await expectAllEnded(bought);
    },
    WITHIN_MS,
  );

  it(
    'given kill -9 with parked sagas, the next start with room again ends every saga',
    async () => {
      if (!disk) return;
      const bought = await checkOutAll(disk);
      expect(await allParked()).toBeGreaterThan(0);
      await app.kill();
      shop.close();

      disk.free();
      await start();

      await expectAllEnded(bought);
    },
    WITHIN_MS,
  );
});
