import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { eventually } from '../../../../test/support/eventually.js';
import { SagaShop } from '../../../../test/support/saga-shop.js';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { defineSaga } from '../core/definition.js';
import { findMissingRows } from './compare-files.js';
import { endLostSagas } from './end-lost-sagas.js';

const DEFINITION = defineSaga(SHOP_SAGA);
const POINT = 5;

describe('an older copy of a file whose later sagas the others have pruned', () => {
  let directory: string;
  let shop: SagaShop;

  /** A saga that holds credit and an order, and goes no further. */
  beforeEach(async () => {
    directory = temporaryDirectory();
    shop = await SagaShop.open(directory, {
      before: (step) => (step === 'take' ? { later: 'never' } : undefined),
    });
    await shop.begin({ order: 'o-1' });
    await eventually(() => expect(shop.relay.openOf(1)).toMatchObject([{ event: 'credit-authorised' }]));
    await shop.relay.stop();
  });

  afterEach(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  const files = (): SagaShop['files'][keyof SagaShop['files']][] => Object.values(shop.files);
  const missing = async (): Promise<readonly string[]> =>
    (await findMissingRows(DEFINITION, files(), () => Promise.resolve())).map(
      ({ by, lacks, saga }) => `${by} lacks ${lacks} of saga ${String(saga)}`,
    );
  const end = (): Promise<number | undefined> =>
    endLostSagas({ ...{ definition: DEFINITION, files: files(), refusal: {} }, found: () => Promise.resolve() });

  it('payment: is noticed; what it still holds is given back, and the file forgets as well', async () => {
    const { orders, stock } = shop.files;
    for (const file of [orders, stock]) await file.prune(POINT);
    expect(await missing()).toEqual(['payment lacks the end of saga 4']);

    await orders.confirm(POINT);
    expect(await missing()).toEqual(['payment lacks the end of saga 4']);
    expect(await end()).toBe(4);

    expect(await missing()).toEqual([]);
    expect(shop.counts()).toMatchObject({ credit: 3, held: 0, 'void ran': 1 });
    expect(files().map(({ prunedBelow }) => prunedBelow)).toEqual([POINT, POINT, POINT]);
    expect(await end()).toBeUndefined();
  });

  it('orders: is noticed; the order is unlocked, and no number is given twice', async () => {
    const { orders, payment, stock } = shop.files;
    for (const file of [payment, stock]) await file.prune(POINT);
    expect(await missing()).toContain('orders lacks the end of saga 4');

    expect(await end()).toBe(4);

    expect(await missing()).toEqual([]);
    expect(shop.counts()).toMatchObject({ 'unlock ran': 1 });
    expect(await shop.databases.orders.writer.run(() => orders.nextNumberWithin())).toBe(POINT);
  });
});
