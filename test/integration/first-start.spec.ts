import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';

const TEST_TIMEOUT_MS = 120_000;
const SEEDED = { SEED: 'on', LOG_LEVEL: 'warn' };
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const CUSTOMER = { name: 'Ada Lovelace', email: 'ada@example.org' };
const USER = { firstname: 'Ada', lastname: 'Lovelace' };

let directory: string;
let app: AppProcess;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(async () => {
  await app.kill();
  removeDirectory(directory);
});

async function post(path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(app.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: number }).id;
}

async function count(path: string): Promise<number> {
  return Number((await fetch(app.url + path)).headers.get('x-total-count'));
}

const counts = async (): Promise<readonly number[]> => [await count('/books'), await count('/customers')];

/** Stops the app, loses a part of what it keeps, and starts again. */
async function startAgainWithout(...lost: readonly string[]): Promise<void> {
  await app.stop();
  for (const name of lost) rmSync(join(directory, name), { recursive: true, force: true });
  app = await AppProcess.start(directory, SEEDED);
}

const SQL_FILES = ['bookstore.db', 'bookstore.db-wal', 'bookstore.db-shm', 'bookstore.db.commits'];

describe('a start with SEED=on', () => {
  it(
    'given a new directory, seeds two of each kind; given one that was started without SEED, seeds nothing',
    async () => {
      app = await AppProcess.start(directory, SEEDED);
      expect(await counts()).toEqual([2, 2]);
      await startAgainWithout();
      expect(await counts()).toEqual([2, 2]);
      expect(await post('/books', BOOK)).toBe(3);

      await app.stop();
      removeDirectory(directory);
      directory = temporaryDirectory();
      app = await AppProcess.start(directory);
      await startAgainWithout();
      expect(await counts()).toEqual([0, 0]);
      expect([await post('/books', BOOK), await post('/customers', CUSTOMER)]).toEqual([1, 1]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given documents whose database is lost, seeds nothing and allots no id that the lost database had allotted',
    async () => {
      app = await AppProcess.start(directory);
      await post('/customers', CUSTOMER);
      for (let n = 0; n < 3; n += 1) await post('/books', BOOK);
      for (let n = 0; n < 3; n += 1) await post('/sql/users', USER);

      await startAgainWithout(...SQL_FILES);
      await eventually(() =>
        expect(app.printed).toContain('the SQL database did not exist and began empty, although the documents existed'),
      );
      expect(await counts()).toEqual([0, 1]);
      const given = [await post('/books', BOOK), await post('/sql/users', USER), await post('/sql_mongo/users', USER)];
      for (const id of given) expect(id).toBeGreaterThan(1e11);
      expect(await post('/customers', CUSTOMER)).toBe(2);

      await startAgainWithout();
      expect([await post('/books', BOOK), await post('/sql_mongo/users', USER)]).toEqual([
        given[0]! + 1,
        given[2]! + 1,
      ]);
      expect(await counts()).toEqual([2, 2]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a database whose documents are lost, seeds nothing',
    async () => {
      app = await AppProcess.start(directory);
      await startAgainWithout('documents', 'documents.end');
      await eventually(() =>
        expect(app.printed).toContain('the documents did not exist and began empty, although the SQL database existed'),
      );
      expect(await counts()).toEqual([0, 0]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    'sql.commit.after#1',
    'journal.synchronize.after',
    'sql.commit.before#2',
    'sql.commit.after#2',
    'sql.commit.before#3',
  ])(
    'given kill -9 at %s during the first start, the next start completes it, with ids from 1',
    async (site) => {
      app = AppProcess.spawn(directory, { ...SEEDED, FAULTS: '1', CRASH_SITE: site });
      expect((await app.exited).signal).toBe('SIGKILL');

      app = await AppProcess.start(directory, SEEDED);
      expect(await counts()).toEqual([2, 2]);
      expect([await post('/books', BOOK), await post('/customers', CUSTOMER)]).toEqual([3, 3]);
      await startAgainWithout();
      expect(await counts()).toEqual([3, 3]);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a database of an earlier version in which a chosen id moved the sequence of user ids to its end', () => {
  it(
    'continues with lower ids, skips used ids, and is not seeded',
    async () => {
      app = await AppProcess.start(directory);
      for (let n = 0; n < 3; n += 1) await post('/sql_mongo/users', USER);
      await app.stop();
      const database = new BetterSqlite3(join(directory, 'bookstore.db'));
      database.exec(`INSERT INTO users (id, firstname, lastname) VALUES (1000000000000000, 'a', 'b'), (1000000000000001, 'a', 'b'), (5, 'a', 'b');
        DROP TABLE user_ids; DROP TABLE origin;
        DELETE FROM migrations WHERE name LIKE 'CountUserIds%' OR name LIKE 'CreateOrigin%'`);
      database.close();

      app = await AppProcess.start(directory, SEEDED);
      expect(await counts()).toEqual([0, 0]);
      expect([await post('/sql/users', USER), await post('/sql_mongo/users', USER)]).toEqual([6, 7]);
    },
    TEST_TIMEOUT_MS,
  );
});
