import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import type { SqlDatabase } from '../../platform/sql/index.js';
import type { StepOutcome } from '../../protocols/saga/index.js';
import { delivered, newItem } from './stock-item.js';
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

  it('moves the generation of the tables that show what is taken, and only when it is taken', async () => {
    await database.writer.run((scope) => {
      items.put(scope, newItem({ id: 'c', price: 5, stock: 2, shownIn: 'shelf' }));
    });
    const generation = (): unknown =>
      database.reader.handle.prepare("SELECT generation FROM generations WHERE table_name = 'shelf'").pluck().get();
    await take([['a', 1]]);
    await take([['c', 3]]);
    expect(generation()).toBe(1);
    await take([['c', 1]]);
    expect(generation()).toBe(2);
  });

  it('beside any deliveries and other sales, takes what a model takes, and each row adds up', async () => {
    const id = fc.constantFrom('a', 'b', 'unknown');
    const line = fc.tuple(id, fc.integer({ min: 1, max: 4 }));
    const change = fc.oneof(
      fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 4 }) }),
      fc.record({ id: fc.constantFrom('a', 'b'), amount: fc.integer({ min: -3, max: 6 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const model = new Map(['a', 'b'].map((known) => [known, { stock: 0, sold: 0 }]));
        await database.writer.run((scope) => {
          for (const known of model.keys()) items.put(scope, newItem({ id: known, price: 1 }));
        });
        for (const next of changes) {
          if ('lines' in next) {
            const sums = Map.groupBy(next.lines, ([item]) => item);
            const wanted = [...sums].map(([item, lines]) => [item, lines.reduce((sum, [, n]) => sum + n, 0)] as const);
            const isTaken = wanted.every(([item, n]) => n <= (model.get(item)?.stock ?? 0));
            expect((await take(next.lines)) as { event?: string }).toHaveProperty(
              'event',
              isTaken ? 'stock-taken' : 'stock-refused',
            );
            for (const [item, n] of isTaken ? wanted : []) {
              const { stock, sold } = model.get(item)!;
              model.set(item, { stock: stock - n, sold: sold + n });
            }
          } else {
            const { stock, sold } = model.get(next.id)!;
            const delivering = database.writer.run((scope) =>
              items.change(scope, next.id, (item) => delivered(item, next.amount)),
            );
            const isDelivered = await delivering.then(
              () => true,
              () => false,
            );
            expect(isDelivered).toBe(stock + next.amount >= 0);
            if (isDelivered) model.set(next.id, { stock: stock + next.amount, sold });
          }
        }
        for (const [known, { stock, sold }] of model) expect(stockOf(known)).toEqual([stock, sold, stock + sold]);
      }),
      { numRuns: 25 },
    );
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
      {
        itemId: 'a',
        code: 'conflict',
        message: 'item a was replaced by batch_init during the checkout',
        isSuperseded: true,
      },
    ],
  ])('given %s, refuses and takes nothing', async (_, lines, refusal) => {
    expect(await take(lines)).toMatchObject({ event: 'stock-refused', data: { orderId: 'o', lines, ...refusal } });
    expect([stockOf('a'), stockOf('b')]).toEqual([
      [3, 0, 3],
      [1, 0, 1],
    ]);
  });
});
