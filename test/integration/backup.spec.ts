import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../e2e/support/client.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { runToEnd } from '../support/start-process.js';

const TEST_TIMEOUT_MS = 120_000;
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const CUSTOMER = { name: 'Ada Lovelace', email: 'ada@example.org' };

let directory: string;
let data: string;
let copy: string;
let app: AppProcess;
/** The path of a user of payment. */
let user: string;

beforeEach(async () => {
  directory = temporaryDirectory();
  data = join(directory, 'data');
  copy = join(directory, 'copy');
  mkdirSync(data);
  app = await AppProcess.start(data);
});

afterEach(async () => {
  await app.kill();
  removeDirectory(directory);
});

const backUp = (): ReturnType<typeof runToEnd> => runToEnd('backup', data, { args: [copy] });

/** What clients see of both stores. The steps of a transaction are not kept over a start. */
async function stored(): Promise<unknown> {
  const client = new Client(app.url);
  const transactions = (await client.get('/transactions')).json<{ id: string; state: string }[]>();
  return {
    books: (await client.get('/books')).text,
    customers: (await client.get('/customers')).text,
    credit: (await client.get(user)).text,
    transactions: transactions.map(({ id, state }) => `${id} ${state}`),
  };
}

describe('npm run backup', () => {
  it.each(['kill', 'stop'] as const)(
    'after a %s of the app copies both stores as they are; an app on the copy has every write and every key',
    async (end) => {
      const client = new Client(app.url);
      const key = { 'idempotency-key': 'k' };
      await client.add('/books', BOOK);
      await client.add('/customers', CUSTOMER);
      user = await client.add('/payment/create_user', undefined);
      await client.post(user.replace('find_user', 'add_funds') + '/5');
      const written = await client.post('/books-2pc', BOOK, key);
      const before = await stored();
      await app[end]();

      expect(await backUp()).toEqual({
        code: 0,
        printed: `Backed up ${data} to ${copy}. docs/runbook.md says how to restore it.\n`,
      });
      expect(existsSync(`${copy}.partial`)).toBe(false);

      rmSync(data, { recursive: true });
      app = await AppProcess.start(copy);
      expect(await stored()).toEqual(before);
      const repeated = await new Client(app.url).post('/books-2pc', BOOK, key);
      expect([repeated.header('idempotency-replayed'), repeated.text]).toEqual(['true', written.text]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'of a directory in which no app has made a payment.db yet copies the stores that are there',
    async () => {
      await app.stop();
      for (const name of ['payment.db', 'payment.db.commits']) rmSync(join(data, name));

      expect((await backUp()).code).toBe(0);
      expect(existsSync(join(copy, 'payment.db'))).toBe(false);
      app = await AppProcess.start(copy);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'while the app runs refuses with one line and copies nothing',
    async () => {
      expect(await backUp()).toEqual({
        code: 1,
        printed: expect.stringMatching(
          /^data-directory-locked: Bifolio is running on .*: stop it with "npm stop"[^\n]*\n$/,
        ),
      });
      expect(readdirSync(directory)).toEqual(['data']);
    },
    TEST_TIMEOUT_MS,
  );

  it.each<[string, RegExp, () => void]>([
    ['into a directory that exists', /^conflict: .*copy exists: remove it, or name another/, () => { mkdirSync(copy); }], // prettier-ignore
    ['beside a part of an interrupted backup', /^conflict: .*copy\.partial exists/, () => { mkdirSync(`${copy}.partial`); }], // prettier-ignore
    ['of a directory without documents', /^not-found: there is no .*documents/, () => { rmSync(join(data, 'documents'), { recursive: true }); }], // prettier-ignore
    ['of a directory that has lost payment.db', /^not-found: there is no .*payment\.db/, () => { rmSync(join(data, 'payment.db')); }], // prettier-ignore
    ['of an empty bookstore.db', /^recovery-needed: .*bookstore\.db is empty/, () => { truncateSync(join(data, 'bookstore.db'), 0); }], // prettier-ignore
    ['of a damaged bookstore.db', /^data-corrupt: .*bookstore\.db/, damageDatabase],
    ['of documents without their end', /^recovery-needed: .*documents\.end/, () => { rmSync(join(data, 'documents.end')); }], // prettier-ignore
  ])(
    '%s refuses with one line and copies nothing',
    async (_, line, prepare) => {
      await app.stop();
      prepare();
      const before = readdirSync(directory);

      const { code, printed } = await backUp();

      expect(printed).toMatch(line);
      expect(printed.trimEnd().split('\n')).toHaveLength(1);
      expect(code).toBe(1);
      expect(readdirSync(directory)).toEqual(before);
    },
    TEST_TIMEOUT_MS,
  );
});

/** Overwrites all pages but the first. */
function damageDatabase(): void {
  const path = join(data, 'bookstore.db');
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 'x')]));
}
