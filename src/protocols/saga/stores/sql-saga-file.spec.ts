import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { SagaShop } from '../../../../test/support/saga-shop.js';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { systemClock } from '../../../platform/process/index.js';
import { findDamage } from '../../../platform/sql-check/index.js';
import { sqlFileIn } from '../../../platform/sql/index.js';
import { defineSaga } from '../core/definition.js';
import type { DeliveryMark, Reaction, SagaEvent } from '../ports.js';
import { findMissingRows } from '../shell/compare-files.js';
import { SEALED_SAGA_STEPS } from './append-saga-steps.migration.js';
import { SqlSagaFile } from './sql-saga-file.js';

describe('the step rows of a participant in an SQL file', () => {
  let directory: string;
  let shop: SagaShop;
  let number = 0;
  let before: Readonly<Record<string, number>>;

  const event = (name: string, id = 'a'): SagaEvent => ({ saga: { number, id }, name, data: { order: 'o' } });
  const reacts = (name: keyof SagaShop['files'], to: SagaEvent, isLastTry = false): Promise<Reaction> =>
    new Promise((resolve) => {
      shop.files[name].react(to, isLastTry, resolve);
    });
  /** The counts that have changed in this test. */
  const changes = (): Readonly<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(shop.counts())
        .map(([name, value]): [string, number] => [name, value - (before[name] ?? 0)])
        .filter(([, change]) => change !== 0),
    );

  beforeAll(async () => {
    directory = temporaryDirectory();
    shop = await SagaShop.open(directory);
    await shop.fill({ credit: 100, stock: 100 });
  });

  beforeEach(() => {
    number += 1;
    before = shop.counts();
  });

  afterAll(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('given an event of another participant, or of another saga with the number, refuses it and keeps nothing', async () => {
    await reacts('payment', event('checkout-started'));

    expect(await reacts('stock', event('stock-taken'))).toMatchObject({
      error: new Error('stock-taken leads to no step of stock'),
    });
    expect(await reacts('payment', event('stock-taken', 'b'))).toMatchObject({ error: { code: 'recovery-needed' } });
    expect(changes()).toEqual({ credit: -1, held: 1, 'authorise ran': 1 });
  });

  it('given a participant whose steps are not those of the table, refuses to be made', () => {
    const { payment } = shop.databases;
    const make = (): SqlSagaFile =>
      new SqlSagaFile({ clock: systemClock, crashSites: NO_CRASH_SITES }, defineSaga(SHOP_SAGA), {
        ...{ name: 'stock', database: payment, steps: { sell: () => ({ later: 'never' }) } },
      });

    expect(make).toThrow('stock lacks take and has sell, which is not its step');
  });

  it('writes one page for a step beside its effect and the count of commits', async () => {
    const { writer, writeHandle } = shop.databases.payment;
    await writer.drained();
    writeHandle.pragma('wal_checkpoint(TRUNCATE)');

    await reacts('payment', event('checkout-started'));

    expect(writeHandle.pragma('wal_checkpoint(PASSIVE)')).toMatchObject([{ log: 3 }]);
  });
});

describe('the outbox of a participant', () => {
  let directory: string;
  let shop: SagaShop;

  const react = (name: string, number: number): Promise<Reaction> =>
    new Promise((resolve) => {
      shop.files.payment.react({ saga: { number, id: 'a' }, name, data: {} }, false, resolve);
    });
  const note = (number: number, step: string, delivery: DeliveryMark = 'delivered'): void => {
    shop.files.payment.note({ number, step, delivery, attempts: 0, nextAtMs: 0 });
  };
  const pending = (): readonly number[] => shop.files.payment.undelivered().map(({ saga }) => saga.number);
  const markIn = (): number | undefined =>
    shop.databases.payment.reader.handle
      .prepare<[], number>('SELECT delivered_below FROM saga_retention')
      .pluck()
      .get();

  beforeAll(async () => {
    directory = temporaryDirectory();
    shop = await SagaShop.open(directory);
    await shop.fill({ credit: 10_000, stock: 1 });
    await Promise.all(Array.from({ length: 2_000 }, (_, number) => react('checkout-started', number + 1)));
    for (let number = 1; number <= 2_000; number += 1) if (number !== 700) note(number, 'authorise');
    await shop.databases.payment.writer.drained();
  });

  afterAll(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('given many delivered rows, begins at the first that is pending', () => {
    expect([markIn(), pending()]).toEqual([700, [700]]);
  });

  it('given a step of an earlier saga, begins there, also in the next process', async () => {
    await react('stock-taken', 30);
    expect([markIn(), pending()]).toEqual([30, [30, 700]]);

    note(700, 'authorise', 'parked');
    note(30, 'capture', 'parked');
    await shop.close();
    shop = await SagaShop.open(directory);
    expect(pending()).toEqual([30, 700]);
    note(30, 'capture', 'pending');
    await shop.databases.payment.writer.drained();
    expect(pending()).toEqual([30, 700]);
  });

  it('given that all is delivered, begins a thousand numbers behind the last one', async () => {
    note(30, 'capture');
    note(700, 'authorise');
    for (let time = 0; time < 1_000; time += 1) note(1, 'authorise');
    await shop.databases.payment.writer.drained();

    expect([markIn(), pending()]).toEqual([1_000, []]);
    await react('stock-taken', 999);
    expect(pending()).toEqual([999]);
  });
});

describe('the step rows of ended sagas', () => {
  let directory: string;
  let shop: SagaShop;

  beforeEach(async () => {
    directory = temporaryDirectory();
    shop = await SagaShop.open(directory);
    await shop.relay.start(() => false);
    for (const _ of [1, 2, 3]) await shop.relay.ended(await shop.begin());
  });

  afterEach(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  const change = async (what: string): Promise<void> => {
    const { writer, writeHandle } = shop.databases.payment;
    await writer.run(() => writeHandle.prepare(`UPDATE saga_steps SET ${what} WHERE step = 'authorise'`).run());
  };

  it('given a row that a person changes, accepts it; given one that changes by itself, says so', async () => {
    await change(`data = '{"by":"hand"}'`);
    expect(shop.files.payment.recordsOf(1)).toMatchObject([{ data: { by: 'hand' } }, {}]);

    await change('seal = 1');

    const problem = 'row 1 authorise of saga_steps differs from what was written';
    expect(() => shop.files.payment.recordsOf(1)).toThrow(problem);
    const file = sqlFileIn(directory, { name: 'payment' });
    const damage = await findDamage(file, [SEALED_SAGA_STEPS], () => Promise.resolve());
    expect(damage).toBe('row 16 of saga_steps differs from what was written');
  });

  it('given a point, forgets the rows below it, keeps the others, and never lowers the point', async () => {
    for (const file of Object.values(shop.files)) await file.prune(3);
    await shop.files.stock.prune(2);

    expect(Object.values(shop.files).map(({ prunedBelow }) => prunedBelow)).toEqual([3, 3, 3]);
    expect([1, 2, 3].map((number) => shop.relay.timeline(number).length)).toEqual([0, 0, 5]);
  });

  it('given files that belong together, the comparison finds nothing, even if only one of them has pruned', async () => {
    await shop.files.orders.prune(3);

    expect(await missing()).toEqual([]);
  });

  it('given a file that lacks rows, the comparison names it and the saga', async () => {
    const { stock } = shop.databases;
    await Promise.all(Object.values(shop.databases).map(({ writer }) => writer.drained()));
    await stock.writer.run(() => stock.writeHandle.prepare('DELETE FROM saga_steps WHERE saga_number = 2').run());

    expect(await missing()).toEqual([
      { saga: 2, by: 'stock', lacks: 'take', provedBy: 'authorise of payment' },
      { saga: 2, by: 'stock', lacks: 'stock-taken', provedBy: 'capture of payment' },
    ]);
  });

  const missing = () => findMissingRows(defineSaga(SHOP_SAGA), Object.values(shop.files), () => Promise.resolve());
});
