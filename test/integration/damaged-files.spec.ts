import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';

const TEST_TIMEOUT_MS = 120_000;
const BOOKS = 120;
const PAGE_BYTES = 4_096;
const DATABASE = 'bookstore.db';
/** What a book is written to. */
const OF_SQLITE = [DATABASE, `${DATABASE}-wal`];
const UNCHECKED = { DATA_CHECK_EVERY_MS: '0', LOG_LEVEL: 'warn' };
const CHECKED_OFTEN = { DATA_CHECK_EVERY_MS: '100', LOG_LEVEL: 'warn' };

interface Told {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
}

describe('the app on damaged files', () => {
  let directory: string;
  let app: AppProcess;

  const at = (name: string): string => join(directory, name);
  const ask = async (path: string, body?: object, method = 'POST'): Promise<Told> => {
    const headers = { 'content-type': 'application/json' };
    const init = body === undefined ? {} : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${app.url}${path}`, init);
    return { ...((await response.json()) as object), status: response.status };
  };
  const book = (n: number): object => ({
    title: `Title ${String(n)}`.padEnd(180, '.'),
    author: 'A',
    price: 1,
    quantity: 1,
  });
  const customer = { name: 'Ada Lovelace', email: 'ada@example.org' };
  const user = { firstname: 'Grace', lastname: 'Hopper' };
  const edit = (change: (bytes: Buffer) => void): void => {
    const bytes = readFileSync(at(DATABASE));
    change(bytes);
    writeFileSync(at(DATABASE), bytes);
  };
  const flip = (text: string): void => {
    edit((bytes) => {
      const offset = bytes.indexOf(text);
      bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
    });
  };
  const refused = (file: string): object => ({
    status: 503,
    code: 'storage-damaged',
    detail: expect.stringContaining(at(file)),
  });
  const expectWritesRefused = async (file: string): Promise<void> => {
    expect(await ask('/health/ready')).toMatchObject({ status: 503, detail: expect.stringContaining(at(file)) });
    expect(await ask('/books', book(0))).toMatchObject(refused(file));
    expect(await ask('/books/1', book(0), 'PUT')).toMatchObject(refused(file));
    expect(await ask('/customers', customer)).toMatchObject(refused(file));
    expect(await ask('/books-2pc', book(0))).toMatchObject(refused(file));
    await eventually(() => expect(app.printed).toContain('the process refuses all writes'));
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory, UNCHECKED);
    for (let n = 1; n <= BOOKS; n += 1) expect((await ask('/books', book(n))).status).toBe(201);
    expect((await ask('/sql/users', user)).status).toBe(201);
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  it(
    'given a flipped bit in the text of a book, answers 503 for that book and its list, refuses writes, and serves other books',
    async () => {
      await app.stop();
      flip('Title 77');
      app = await AppProcess.start(directory, UNCHECKED);
      expect((await ask('/health/ready')).status).toBe(200);

      expect(await ask('/books/77')).toMatchObject(refused(DATABASE));
      expect(await ask('/books')).toMatchObject(refused(DATABASE));
      expect((await ask('/books/78')).status).toBe(200);
      await expectWritesRefused(DATABASE);
      expect((await app.stop()).code).toBe(0);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a flipped bit in a user or in a recorded answer, answers 503',
    async () => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' };
      const init = { method: 'POST', headers, body: JSON.stringify({ ...book(1), author: 'Only here' }) };
      expect((await fetch(`${app.url}/books`, init)).status).toBe(201);
      await app.stop();
      flip('GraceHopper');
      edit((bytes) => {
        const offset = bytes.indexOf('"author":"Only here"') + 12;
        bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
      });
      app = await AppProcess.start(directory, UNCHECKED);

      expect(await (await fetch(`${app.url}/books`, init)).json()).toMatchObject(refused(DATABASE));
      expect(await ask('/sql/users/1')).toMatchObject(refused(DATABASE));
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given overwritten pages, finds the damage by itself, answers 503 and never 500, and refuses writes',
    async () => {
      await app.stop();
      edit((bytes) => {
        const page = Math.floor(bytes.indexOf('Title 77') / PAGE_BYTES);
        bytes.fill(0x5a, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      });
      app = await AppProcess.start(directory, CHECKED_OFTEN);

      await eventually(async () => expect((await ask('/health/ready')).status).toBe(503), { withinMs: 30_000 });
      await expectWritesRefused(DATABASE);
      expect(await ask('/books')).toMatchObject(refused(DATABASE));
      expect((await ask('/books/77')).status).toBe(503);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a bit that flips on the disk while the app runs, finds the damage by itself',
    async () => {
      await app.stop();
      app = await AppProcess.start(directory, CHECKED_OFTEN);
      expect((await ask('/books/77')).status).toBe(200);
      expect((await ask('/health/ready')).status).toBe(200);
      flip('Title 77');

      await eventually(async () => expect((await ask('/health/ready')).status).toBe(503), { withinMs: 30_000 });
      await expectWritesRefused(DATABASE);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    [DATABASE],
    [`${DATABASE}-wal`],
    [`${DATABASE}-shm`],
    [`${DATABASE}.commits`],
    ['cluster-secret'],
    ['documents.end'],
    ['documents/journal.reserve'],
    ['documents/journal-'],
  ])(
    'given the removal of %s while the app runs, names it, acknowledges no write, and recovers when the file is put back',
    async (prefix) => {
      await ask('/customers', customer);
      const folder = prefix.startsWith('documents/') ? 'documents/' : '';
      const name = readdirSync(at(folder)).find(
        (one) => `${folder}${one}`.startsWith(prefix) && (folder !== '' || one === prefix),
      );
      const file = `${folder}${name ?? ''}`;
      renameSync(at(file), at(`${file}.away`));

      if (OF_SQLITE.includes(prefix)) expect((await ask('/books', book(0))).status).toBeGreaterThanOrEqual(500);
      await expectWritesRefused(file);
      expect((await ask('/books/78')).status).toBe(200);

      renameSync(at(`${file}.away`), at(file));
      expect((await ask('/health/ready')).status).toBe(200);
      expect((await ask('/books', book(0))).status).toBe(201);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given another file in place of bookstore.db while the app runs, acknowledges no write',
    async () => {
      copyFileSync(at(DATABASE), at('copy'));
      rmSync(at(DATABASE));
      renameSync(at('copy'), at(DATABASE));

      expect((await ask('/books', book(0))).status).toBeGreaterThanOrEqual(500);
      await expectWritesRefused(DATABASE);
    },
    TEST_TIMEOUT_MS,
  );
});
