import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { eventually } from '../../../../test/support/eventually.js';
import { SagaShop, type SagaShopPorts } from '../../../../test/support/saga-shop.js';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { storageFull } from '../../../kernel/index.js';
import { defineSaga } from '../core/definition.js';
import { SagaPruning } from './pruning.js';

const FILES = ['orders', 'payment', 'stock'] as const;

describe('the pruning of ended sagas', () => {
  let directory: string;
  let shop: SagaShop;
  /** The owner need no longer keep the sagas below. */
  let mayGoBelow: number;
  /** In their order: what the owner deletes of its own, and the commits of files, with their point. */
  let done: string[];
  let full: string | undefined;
  let whileOwnerDeletes: () => void;

  const open = async (ports: SagaShopPorts = {}): Promise<SagaPruning> => {
    const definition = defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } });
    shop = await SagaShop.open(directory, { definition, ...ports });
    for (const name of FILES) {
      const { writer, reader } = shop.databases[name];
      const run = writer.run.bind(writer);
      writer.run = async (work) => {
        if (full === name) throw storageFull(undefined);
        return run(work);
      };
      const point = reader.handle.prepare<[], number>('SELECT pruned_below FROM saga_retention').pluck();
      reader.onCommit = () => {
        done.push(`${name} ${String(point.get())}`);
      };
    }
    const owner = {
      prunePoint: (from: number) => Math.max(from, mayGoBelow),
      deleteBelow: (below: number) => {
        done.push(`owner ${String(below)}`);
        whileOwnerDeletes();
      },
    };
    const { orders, payment, stock } = shop.files;
    return new SagaPruning(owner, orders, [payment, stock]);
  };
  const left = (): readonly unknown[] =>
    FILES.map((name) =>
      shop.databases[name].reader.handle
        .prepare<[], number>('SELECT DISTINCT saga_number FROM saga_steps')
        .pluck()
        .all(),
    );
  const buy = async (times: number): Promise<void> => {
    await shop.fill({ credit: 10, stock: 10 });
    for (let time = 0; time < times; time += 1) await shop.relay.ended(await shop.begin());
    await Promise.all(FILES.map((name) => shop.databases[name].writer.drained()));
    done = [];
  };

  beforeEach(() => {
    directory = temporaryDirectory();
    mayGoBelow = 0;
    done = [];
    full = undefined;
    whileOwnerDeletes = () => undefined;
  });

  afterEach(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('deletes in the file that starts sagas first, in one commit with what the owner keeps, and only below the point', async () => {
    const pruning = await open();
    await buy(3);
    mayGoBelow = 3;

    await pruning.run();

    expect(done).toEqual(['owner 3', 'orders 3', 'payment 3', 'stock 3']);
    expect(left()).toEqual([[3], [3], [3]]);
    await pruning.run();
    expect(done).toHaveLength(4);
  });

  it('given a file that is full, leaves it, and the next run brings it to the point although no other saga may go', async () => {
    const pruning = await open();
    await buy(3);
    mayGoBelow = 3;
    full = 'payment';
    await expect(pruning.run()).rejects.toMatchObject({ code: 'storage-full' });
    expect(left()).toEqual([[3], [1, 2, 3], [1, 2, 3]]);

    full = undefined;
    await pruning.run();

    expect(done).toEqual(['owner 3', 'orders 3', 'payment 3', 'stock 3']);
    expect(left()).toEqual([[3], [3], [3]]);
  });

  it('given a stop during a commit, makes no further one', async () => {
    const pruning = await open();
    await buy(3);
    mayGoBelow = 3;

    whileOwnerDeletes = () => {
      pruning.stop();
    };
    await pruning.run();

    expect(done).toEqual(['owner 3', 'orders 3']);
  });

  it('given a death before the other files follow and before the notes of an ended saga, the next start delivers none of its events', async () => {
    const pruning = await open();
    await buy(1);
    await shop.relay.ended(await shop.begin());
    mayGoBelow = 3;
    full = 'payment';
    await expect(pruning.run()).rejects.toMatchObject({ code: 'storage-full' });
    await shop.die();
    full = undefined;
    const ran: string[] = [];

    await open({ before: (step, number) => void ran.push(`${step} ${String(number)}`) });
    expect(shop.files.payment.undelivered().length).toBeGreaterThan(0);
    await shop.relay.start(() => false);

    expect([ran, shop.relay.parked, shop.relay.underWay]).toEqual([[], [], 0]);
  });

  it('given a parked event of a saga that the owner has forgotten, the next drain forgets the event', async () => {
    let isBroken = true;
    const pruning = await open({
      before: (step) => {
        if (step === 'mark-paid' && isBroken) throw new Error('broken');
        return undefined;
      },
    });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.parked).toHaveLength(1));
    mayGoBelow = number + 1;
    await pruning.run();
    isBroken = false;

    await shop.relay.drain();

    expect(shop.relay.parked).toEqual([]);
    expect(shop.counts()).not.toHaveProperty(['mark-paid ran']);
  });
});
