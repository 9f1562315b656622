import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';
import { Client } from '../e2e/support/client.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';

const TEST_TIMEOUT_MS = 120_000;
/** Far more than 30 commits write. */
const ROWS = 50_000;
/** A start needs fewer. */
const IN_THE_MIDDLE = { FAULTS: '1', CRASH_SITE: 'sql.commit.after#30' };

interface Kind {
  readonly rows: string;
  readonly file: string;
  readonly path: string;
  /** How many rows there are, of how many sets, and the sums that count. */
  readonly sums: string;
  readonly expected: readonly unknown[];
}

const KINDS: readonly Kind[] = [
  {
    rows: 'items',
    file: 'bookstore.db',
    path: `/stock/batch_init/${String(ROWS)}/10/5`,
    sums: `SELECT count(*), min(set_number), max(set_number), sum(stock), sum(sold), sum(price) FROM stock_items WHERE shown_in IS NULL`,
    expected: [ROWS, 1, 1, ROWS * 10, 0, ROWS * 5],
  },
  {
    rows: 'users',
    file: 'payment.db',
    path: `/payment/batch_init/${String(ROWS)}/1000`,
    sums: 'SELECT count(*), min(set_number), max(set_number), sum(credit), sum(held + charged), sum(funded) FROM payment_users',
    expected: [ROWS, 1, 1, ROWS * 1000, 0, ROWS * 1000],
  },
  {
    rows: 'orders',
    file: 'orders.db',
    path: `/orders/batch_init/${String(ROWS)}/1/1/5`,
    sums: `SELECT count(*), min(set_number), max(set_number), min(lines), max(lines), count(saga_number) FROM orders`,
    expected: [ROWS, 1, 1, '[["0",1,5],["0",1,5]]', '[["0",1,5],["0",1,5]]', 0],
  },
];

describe('kill -9 in the middle of a batch_init', () => {
  let directory: string;
  let app: AppProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory, IN_THE_MIDDLE);
  });

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  /** One row of a database that no process has open. */
  const read = (file: string, sql: string): readonly unknown[] => {
    const database = new BetterSqlite3(join(directory, file));
    try {
      return database.prepare<[], unknown[]>(sql).raw().get() ?? [];
    } finally {
      database.close();
    }
  };

  it.each(KINDS)(
    'of $rows is finished by the next start before it is ready, once for its Idempotency-Key',
    async ({ rows, file, path, sums, expected }) => {
      const key = { 'idempotency-key': 'k' };
      await expect(new Client(app.url).post(path, undefined, key)).rejects.toThrow();
      expect(await app.exited).toMatchObject({ signal: 'SIGKILL' });
      const [nextRow = ROWS] = read(file, `SELECT next_row FROM batch_inits WHERE rows = '${rows}'`);
      expect(nextRow).toBeGreaterThan(0);
      expect(nextRow).toBeLessThan(ROWS);

      app = await AppProcess.start(directory);

      const again = await new Client(app.url).post(path, undefined, key);
      expect([again.status, again.header('idempotency-replayed')]).toEqual([200, 'true']);
      await app.stop();
      expect(read(file, sums)).toEqual(expected);
    },
    TEST_TIMEOUT_MS,
  );
});
