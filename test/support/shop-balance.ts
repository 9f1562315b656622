import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';

interface Given {
  /** To all users together. */
  readonly funded: number;
  /** Of all items together, without books. */
  readonly delivered: number;
}

/** What does not add up in the files of an app whose checkouts have all ended and that gets no request, in words; empty when everything does. */
export function unbalancedIn(directory: string, { funded, delivered }: Given): readonly string[] {
  const read = (file: string, sql: string): readonly unknown[] => {
    const database = new BetterSqlite3(join(directory, `${file}.db`), { readonly: true });
    try {
      return database.prepare<[], unknown[]>(sql).raw().get() ?? [];
    } finally {
      database.close();
    }
  };
  const [credit, held, charged] = read('payment', 'SELECT sum(credit), sum(held), sum(charged) FROM payment_users');
  const [stock, sold] = read('bookstore', "SELECT sum(stock), sum(sold) FROM stock_items WHERE id NOT LIKE 'book-%'");
  const [pieces, spent, locked] = read(
    'orders',
    `SELECT (SELECT coalesce(sum(line.value ->> 1), 0) FROM orders, json_each(orders.lines) AS line WHERE state = 'paid'),
       (SELECT coalesce(sum((line.value ->> 1) * (line.value ->> 2)), 0) FROM orders, json_each(orders.lines) AS line
        WHERE state = 'paid'),
       (SELECT count(*) FROM orders WHERE state = 'checking-out')`,
  );
  const found = { credit, held, charged, stock, sold, locked };
  const expected = {
    ...{ credit: funded - Number(spent), held: 0, charged: spent },
    ...{ stock: delivered - Number(pieces), sold: pieces, locked: 0 },
  };
  const isEqual = JSON.stringify(found) === JSON.stringify(expected);
  return isEqual ? [] : [`found ${JSON.stringify(found)}, and paid orders say ${JSON.stringify(expected)}`];
}
