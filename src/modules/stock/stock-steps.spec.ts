import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import type { SqlDatabase } from '../../platform/sql/index.js';
import type { StepOutcome } from '../../protocols/saga/index.js';
import { newItem } from './stock-item.js';
import { type OrderedItems, stockSteps } from './stock-steps.js';
import { StockRepository } from './stock.repository.js';

const SAGA = { number: 1, id: 'a saga' };

describe('the step "take"', () => {
  let directory: string;
  let database: SqlDatabase;
  let items: StockRepository;

  const take = (lines: OrderedItems['lines']): Promise<StepOutcome> =>
    database.writer.run((scope) => stockSteps(items)['take']!(scope, SAGA, { orderId: 'o', lines }));
  const stockOf = (id: string): readonly unknown[] => {
    const { stock, sold, delivered } = items.find(id)!;
    return [stock, sold, delivered];
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    database = await openBooksDatabase(join(directory, 'bookstore.db'));
    items = new StockRepository(database);
    await database.writer.run((scope) => {
      items.put(scope, newItem({ id: 'a', price: 5, stock: 3, setNumber: 2 }));
      items.put(scope, newItem({ id: 'b', price: 7, stock: 1 }));
    });
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('takes all lines, hands the data on, and names the latest set', async () => {
    const lines: OrderedItems['lines'] = [
      ['b', 1, 0],
      ['a', 2, 2],
    ];
    expect(await take(lines)).toEqual({ event: 'stock-taken', data: { orderId: 'o', lines }, set: 2 });
    expect([stockOf('a'), stockOf('b')]).toEqual([
      [1, 2, 3],
      [0, 1, 1],
    ]);
  });

  it('given the same item in several lines, takes their sum once', async () => {
    await take([
      ['a', 1],
      ['a', 2],
    ]);
    expect(stockOf('a')).toEqual([0, 3, 3]);
  });

  it.each<[string, OrderedItems['lines'], object]>([
    [
      'too little of the second item',
      [
        ['a', 1],
        ['b', 2],
      ],
      { itemId: 'b', code: 'too-little-stock', message: '1 of item b are in stock, which is less than 2' },
    ],
    [
      'too little for the sum of two lines',
      [
        ['a', 2],
        ['b', 1],
        ['a', 2],
      ],
      { itemId: 'a', code: 'too-little-stock', message: '3 of item a are in stock, which is less than 4' },
    ],
    [
      'a sum that no number holds exactly',
      [
        ['a', Number.MAX_SAFE_INTEGER],
        ['a', Number.MAX_SAFE_INTEGER],
      ],
      { itemId: 'a', code: 'too-little-stock' },
    ],
    [
      'an item that does not exist',
      [
        ['a', 1],
        ['c', 1],
      ],
      { itemId: 'c', code: 'not-found', message: 'item c does not exist' },
    ],
    [
      'an item of another set',
      [
        ['b', 1, 0],
        ['a', 1, 1],
      ],
      { itemId: 'a', code: 'conflict', message: 'item a was replaced by batch_init during the checkout' },
    ],
  ])('given %s, refuses and takes nothing', async (_, lines, refusal) => {
    expect(await take(lines)).toMatchObject({ event: 'stock-refused', data: { orderId: 'o', lines, ...refusal } });
    expect([stockOf('a'), stockOf('b')]).toEqual([
      [3, 0, 3],
      [1, 0, 1],
    ]);
  });
});
