import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { systemClock } from '../../platform/process/index.js';
import { type SqlDatabase, SqlOperationLedger, type SqlWriteScope } from '../../platform/sql/index.js';
import { StockRepository } from './stock.repository.js';
import { StockService } from './stock.service.js';

describe('stock', () => {
  let directory: string;
  let database: SqlDatabase;
  let items: StockRepository;
  let stock: StockService;

  const write = <T>(work: (scope: SqlWriteScope) => T): Promise<T> => database.writer.run(work);
  const shelfGeneration = (): unknown =>
    database.reader.handle.prepare("SELECT generation FROM generations WHERE table_name = 'shelf'").pluck().get();

  beforeEach(async () => {
    directory = temporaryDirectory();
    database = await openBooksDatabase(join(directory, 'bookstore.db'));
    items = new StockRepository(database);
    stock = new StockService(database, items, new SqlOperationLedger(database, systemClock));
    await write((scope) => {
      stock.createWithin(scope, { id: 'a', price: 5, stock: 3, shownIn: 'shelf' });
    });
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('given another stock, records a delivery of the difference', async () => {
    await write((scope) => {
      stock.replaceWithin(scope, { id: 'a', price: 7, stock: 10 });
    });
    expect(items.find('a')).toMatchObject({ price: 7, stock: 10, sold: 0, delivered: 10 });
  });

  it('moves the generation of the table that shows an item with each change of that item, and with no other', async () => {
    const generations = [shelfGeneration()];
    const after = async (work: (scope: SqlWriteScope) => void): Promise<void> => {
      await write(work);
      generations.push(shelfGeneration());
    };
    await after((scope) => {
      stock.replaceWithin(scope, { id: 'a', price: 5, stock: 4 });
    });
    await after((scope) => {
      stock.createWithin(scope, { id: 'b', price: 5 });
    });
    await after((scope) => {
      stock.removeWithin(scope, { id: 'a', shownIn: 'shelf' });
    });
    expect(generations).toEqual([1, 2, 2, 3]);
  });

  it('gives the price, stock and set of the items that exist', async () => {
    await write((scope) => {
      stock.createWithin(scope, { id: 'b', price: 9, setNumber: 2 });
    });
    const found = stock.itemsOnSale(['b', 'unknown', 'a', 'b']);
    expect([...found.keys()]).toEqual(['b', 'a']);
    expect(found.get('b')).toMatchObject({ price: 9, stock: 0, setNumber: 2 });
  });

  it('given a row that is not what was written, says that it is damaged', async () => {
    await write(() => {
      database.writeHandle.exec('UPDATE stock_items SET seal = seal + 1');
    });
    expect(() => items.find('a')).toThrow('row a of stock_items differs from what was written');
  });
});
