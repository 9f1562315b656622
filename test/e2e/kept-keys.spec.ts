import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { type Answer, Client, newKey } from './support/client.js';
import { BOOK, CUSTOMER } from './support/resources.js';

const TEST_TIMEOUT_MS = 120_000;
const MOST = 6;
const USER = { firstname: 'Ada', lastname: 'Lovelace' };
const [ONE, OTHER] = ['one-of-sixteen-characters', 'other-of-sixteen-characters'];
const SETTINGS = {
  IDEMPOTENCY_KEYS: String(MOST),
  API_KEYS: `one:write:${ONE},other:write:${OTHER}`,
  RATE_LIMIT: 'off',
};

describe('kept Idempotency-Keys', () => {
  let directory: string;
  let app: AppProcess;
  const keys = Array.from({ length: MOST }, newKey);

  const as = (apiKey: string): Client => new Client(app.url, { 'x-api-key': apiKey });
  /** One write with each key, on every store in turn. */
  const written = (client: Client): Promise<Answer[]> => {
    const writes = [
      (key: object) => client.post('/books', BOOK.input, { ...key }),
      (key: object) => client.post('/customers', CUSTOMER.input, { ...key }),
      (key: object) => client.post('/sql/users', USER, { ...key }),
      (key: object) => client.post('/books-2pc', BOOK.input, { ...key }),
      (key: object) => client.post('/sql_mongo/users', USER, { ...key }),
      (key: object) => client.put('/books/1', BOOK.input, { ...key }),
    ];
    return keys.reduce<Promise<Answer[]>>(
      async (before, key, n) => [...(await before), await writes[n % writes.length]!({ 'idempotency-key': key })],
      Promise.resolve([]),
    );
  };
  const refuse = async (client: Client): Promise<void> => {
    for (const [path, input] of [
      ['/books', BOOK.input],
      ['/customers', CUSTOMER.input],
      ['/sql_mongo/users', USER],
    ] as const) {
      const refused = await client.post(path, input, { 'idempotency-key': newKey(), 'x-key-added': 'Bearer guessed' });
      expect(refused.problem(429)).toMatchObject({
        code: 'too-many-keys',
        detail: expect.stringContaining('IDEMPOTENCY_KEYS'),
      });
      expect(Number(refused.header('retry-after'))).toBeGreaterThan(86_000);
    }
  };

  beforeAll(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory, SETTINGS);
  });

  afterAll(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  it(
    'given a caller at its limit, every store refuses new keys, replays known ones, and serves other callers and writes without a key',
    async () => {
      const first = await written(as(ONE));
      expect(first.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 200]);
      const before = (await as(ONE).get('/customers')).header('x-total-count');
      await refuse(as(ONE));
      expect((await as(ONE).get('/customers')).header('x-total-count')).toBe(before);

      const again = await written(as(ONE));
      expect(again.map((answer) => answer.header('idempotency-replayed'))).toEqual(keys.map(() => 'true'));
      expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
      expect((await as(ONE).post('/customers', CUSTOMER.input)).status).toBe(201);
      expect((await written(as(OTHER))).map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 200]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a restart or kill -9, are counted and answered as before',
    async () => {
      for (const end of ['stop', 'kill'] as const) {
        await app[end]();
        app = await AppProcess.start(directory, SETTINGS);
        await refuse(as(ONE));
        const again = await written(as(ONE));
        expect(again.map((answer) => answer.header('idempotency-replayed'))).toEqual(keys.map(() => 'true'));
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given thousands of later writes, are still known, and so are operations without a key',
    async () => {
      const client = as(OTHER);
      const customer = await client.post('/customers', CUSTOMER.input);
      const book = await client.post('/books', BOOK.input);
      for (let n = 0; n < 30; n += 1) {
        const many = Array.from({ length: 100 }, (_, i) =>
          client.post(i % 2 === 0 ? '/customers' : '/books', i % 2 === 0 ? CUSTOMER.input : BOOK.input),
        );
        expect(new Set((await Promise.all(many)).map(({ status }) => status))).toEqual(new Set([201]));
      }
      for (const answer of [customer, book]) {
        expect(answer.status).toBe(201);
        expect((await client.get(`/operations/${answer.header('x-operation-id')}`)).status).toBe(200);
      }
    },
    TEST_TIMEOUT_MS,
  );
});
