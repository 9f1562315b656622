import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { type CheckoutShop, openCheckoutShop, ROWS } from '../support/checkout-shop.js';
import { eventually } from '../support/eventually.js';

/** In more than one commit of a batch_init of orders, the last one. */
const ORDER = '550';
const UNTOUCHED = { credit: 100, held: 0, charged: 0, stock: 5, sold: 0, order: 'open' };
const BOUGHT = { credit: 90, held: 0, charged: 10, stock: 3, sold: 2, order: 'paid', checkout: 'completed' };

describe('batch_init and a parked checkout', () => {
  let directory: string;
  let shop: CheckoutShop;

  /** The number of a checkout whose event to this step is parked. */
  const parkedAt = async (...steps: readonly string[]): Promise<number> => {
    for (const step of steps) shop.broken.add(step);
    const number = await shop.begin(ORDER);
    await eventually(() => expect(shop.relay.parked).toHaveLength(1));
    shop.ran.length = 0;
    return number;
  };
  const restart = async (): Promise<void> => {
    await shop.close();
    shop = await openCheckoutShop(directory);
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    shop = await openCheckoutShop(directory);
    for (const rows of ROWS) await shop.batchInit[rows]();
    await shop.recover();
  });

  afterEach(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('given one that holds nothing and whose order is replaced, supersede it: its client is told, and no later drain takes anything', async () => {
    const number = await parkedAt('authorise');
    const ended = shop.ended(number);

    await shop.batchInit.orders();

    await ended;
    const superseded = { ...UNTOUCHED, checkout: 'superseded' };
    expect(shop.shown(ORDER, number)).toEqual(superseded);
    shop.broken.clear();
    await shop.relay.drain();
    expect([shop.shown(ORDER, number), shop.ran]).toEqual([superseded, []]);
    await shop.ended(await shop.begin(ORDER));
    expect(shop.shown(ORDER, number)).toMatchObject({ ...BOUGHT, checkout: 'superseded' });
  });

  it('given one that holds nothing and whose order stays, leave it: the next drain buys', async () => {
    const number = await parkedAt('authorise');
    await shop.sets.orders.run(550, { items: 1, users: 1, itemPrice: 5 }, { id: 'fewer' });

    const { id } = shop.relay.parked[0]!.saga;
    shop.broken.clear();
    await shop.relay.drain();

    expect(shop.shown(ORDER, number)).toEqual(BOUGHT);
    expect(shop.service.find(id).steps.map(({ step, set }) => [step, set])).toEqual([
      ...[['start', 1], ['authorise', 1], ['take', 1], ['capture', 1], ['mark-paid', 1]], // prettier-ignore
    ]);
  });

  it.each(['users', 'items'] as const)(
    'given one that holds nothing and whose %s are replaced, it takes nothing and ends as superseded at the next drain',
    async (rows) => {
      const number = await parkedAt('authorise');
      await shop.batchInit[rows]();

      shop.broken.clear();
      await shop.relay.drain();

      expect(shop.shown(ORDER, number)).toEqual({ ...UNTOUCHED, checkout: 'superseded' });
    },
  );

  it('given a death before the last rows are replaced, the next start supersedes the checkout of one of them', async () => {
    const number = await parkedAt('authorise');
    const { writer } = shop.files.orders.database;
    const run = writer.run.bind(writer);
    writer.run = async (work) => {
      void shop.sets.orders.onModuleDestroy();
      return run(work);
    };
    await expect(shop.batchInit.orders()).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(shop.shown(ORDER, number)).toMatchObject({ order: 'checking-out', checkout: 'running' });

    await restart();
    await shop.recover();

    expect([shop.shown(ORDER, number), shop.ran]).toEqual([{ ...UNTOUCHED, checkout: 'superseded' }, []]);
  });

  it('given a death after its order was replaced, the next start takes it up no more', async () => {
    const number = await parkedAt('authorise');
    // The relay is never told.
    shop.relay.pause = () => ({ goOn: () => undefined });
    await shop.batchInit.orders();

    await restart();
    await shop.recover();
    await restart();
    await shop.recover();

    expect([shop.shown(ORDER, number), shop.ran]).toEqual([{ ...UNTOUCHED, checkout: 'superseded' }, []]);
    expect(shop.relay.openOf(number)).toEqual([]);
  });

  describe.each([
    ['take', { order: 'checking-out', checkout: 'running', credit: 90, held: 10, stock: 5, sold: 0 }],
    ['capture', { order: 'checking-out', checkout: 'running', credit: 90, held: 10, stock: 3, sold: 2 }],
    ['mark-paid', { order: 'checking-out', checkout: 'running', charged: 10, stock: 3, sold: 2 }],
  ])('given one that is parked at "%s"', (step, parked) => {
    it.each(ROWS)('a batch_init of %s changes nothing, and names it and the way out', async (rows) => {
      const number = await parkedAt(step);
      const { id } = shop.relay.parked[0]!.saga;

      await expect(shop.batchInit[rows]()).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(
          new RegExp(`^checkout ${id} is parked .*${step} is broken.*nothing was written: .*resume saga ${id}$`),
        ),
      });

      expect(shop.shown(ORDER, number)).toMatchObject(parked);
      shop.broken.clear();
      await shop.service.resume(id);
      expect(shop.shown(ORDER, number)).toEqual(BOUGHT);
      await shop.batchInit[rows]();
    });

    it('a batch_init that comes when its cause is gone ends it, and then replaces', async () => {
      const number = await parkedAt(step);
      shop.broken.clear();

      await shop.batchInit.users();

      expect(shop.shown(ORDER, number)).toEqual({ ...BOUGHT, credit: 100, charged: 0 });
    });
  });

  it('given one that is parked while it gives back, a batch_init lets it end first', async () => {
    await shop.sets.items.run(1, { stock: 1, price: 5 }, { id: 'too few' });
    const number = await parkedAt('void');

    await expect(shop.batchInit.users()).rejects.toMatchObject({ code: 'conflict' });
    shop.broken.clear();
    await shop.batchInit.orders();

    expect(shop.shown(ORDER, number)).toEqual({ ...UNTOUCHED, stock: 1, checkout: 'refused' });
  });

  it.each([
    ['a drain', (_id: string) => shop.relay.drain()],
    ['a recover', (_id: string) => shop.service.recover()],
    ['a resume', (id: string) => shop.service.resume(id)],
  ])('given %s in the middle of a batch_init, runs no step before all rows are replaced', async (_, press) => {
    const number = await parkedAt('authorise');
    const { id } = shop.relay.parked[0]!.saga;
    const { writer } = shop.files.users.database;
    const [run, pause] = [writer.run.bind(writer), shop.relay.pause.bind(shop.relay)];
    let pressed: Promise<unknown> | undefined;
    let isOver = false;
    shop.relay.pause = () => {
      const paused = pause();
      shop.broken.clear();
      pressed = press(id).finally(() => (isOver = true));
      writer.run = async (work) => {
        await new Promise(setImmediate);
        expect([shop.ran, isOver]).toEqual([[], false]);
        writer.run = run;
        return run(work);
      };
      return paused;
    };

    await shop.batchInit.users();
    await pressed;

    expect(shop.shown(ORDER, number)).toEqual({ ...UNTOUCHED, checkout: 'superseded' });
  });
});
