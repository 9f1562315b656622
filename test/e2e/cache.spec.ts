import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../support/seeded-random.js';
import { BOOK } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const PAGES = ['/books', '/books?limit=1000', '/books?limit=2', '/books?after=1'];

describe('with the cache on', () => {
  const app = useSharedApp();
  const source = async (path: string): Promise<string> => (await app.client.get(path)).header('x-cache');

  it('given a book and a list that are read twice, serves the first read from the database and the second from memory', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    for (const path of [at, ...PAGES]) {
      expect([path, await source(path), await source(path)]).toEqual([path, 'miss', 'memory']);
    }
  });

  it('given reads answered 304, reports where the answer came from too', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    const etag = (await app.client.get(at)).header('etag');
    const again = await app.client.get(at, { 'if-none-match': etag });
    expect([again.status, again.header('x-cache')]).toEqual([304, 'memory']);
  });

  it('given a write that took effect, serves the next read from the database; given a refused write, from memory', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    const other = await app.client.add(BOOK.path, BOOK.input);
    const writes = [
      () => app.client.put(at, BOOK.changed),
      () => app.client.post(BOOK.path, BOOK.input),
      () => app.client.delete(other),
    ];
    for (const write of writes) {
      await source(at);
      expect(await source(at)).toBe('memory');
      await write();
      expect([await source(at), await source('/books')]).toEqual(['miss', 'miss']);
    }
    await app.client.post(BOOK.path, {});
    await app.client.put(at, BOOK.input, { 'if-match': '"stale"' });
    expect(await source(at)).toBe('memory');
  });

  it('given a deleted book that was in memory, answers 404 at once', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    await source(at);
    await app.client.delete(at);
    (await app.client.get(at)).problem(404);
  });

  it('given a book that was unknown, finds it as soon as it is added', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    const next = `/books/${String(Number(at.slice('/books/'.length)) + 1)}`;
    (await app.client.get(next)).problem(404);
    expect(await app.client.add(BOOK.path, BOOK.input)).toBe(next);
    expect((await app.client.get(next)).status).toBe(200);
  });

  /** What a model of the store must say for every read that begins after the write was answered. */
  it.each([1, 2, 3, 4])(
    'given 200 writes and reads in the random order of seed %d, never serves stale data',
    async (seed) => {
      const random = new SeededRandom(seed);
      const model = new Map<number, number>();
      const first = Number((await app.client.add(BOOK.path, BOOK.input)).slice('/books/'.length)) + 1;
      const after = `/books?limit=1000&after=${String(first - 1)}`;
      for (let step = 0; step < 200; step += 1) {
        const ids = [...model.keys()];
        const id = ids[random.below(Math.max(1, ids.length))] ?? first;
        const body = { ...BOOK.input, quantity: step };
        switch (random.below(6)) {
          case 0:
            model.set(Number((await app.client.add(BOOK.path, body)).slice('/books/'.length)), step);
            break;
          case 1:
            expect((await app.client.put(`/books/${String(id)}`, body)).status).toBe(model.has(id) ? 200 : 404);
            if (model.has(id)) model.set(id, step);
            break;
          case 2:
            if (random.chance(0.3)) {
              expect((await app.client.delete(`/books/${String(id)}`)).status).toBe(model.delete(id) ? 204 : 404);
            }
            break;
          default: {
            const [one, list] = await Promise.all([app.client.get(`/books/${String(id)}`), app.client.get(after)]);
            expect(one.status === 404 ? undefined : one.json()['quantity']).toBe(model.get(id));
            const listed = list.json<{ id: number; quantity: number }[]>();
            expect(listed.map((book) => [book.id, book.quantity])).toEqual([...model].sort(([a], [b]) => a - b));
          }
        }
      }
    },
  );

  it('given reads that race with writes, never goes back to an older version', async () => {
    const at = await app.client.add(BOOK.path, { ...BOOK.input, quantity: 0 });
    let isWriting = true;
    let answered = 0;
    const reader = async (): Promise<void> => {
      for (let seen = 0; isWriting;) {
        const min = Math.max(seen, answered);
        const { quantity } = (await app.client.get(at)).json<{ quantity: number }>();
        expect(quantity).toBeGreaterThanOrEqual(min);
        seen = quantity;
      }
    };
    const writer = async (): Promise<void> => {
      for (let quantity = 1; quantity <= 150; quantity += 1) {
        await app.client.put(at, { ...BOOK.input, quantity });
        answered = quantity;
      }
      isWriting = false;
    };
    await Promise.all([reader(), reader(), reader(), writer().finally(() => (isWriting = false))]);
    expect((await app.client.get(at)).json()['quantity']).toBe(150);
  });
});

describe('with the cache off', () => {
  const app = useSharedApp({ CACHE: 'off' });

  it('serves every read from the database', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    for (const path of [at, at, at, ...PAGES, ...PAGES]) {
      expect((await app.client.get(path)).header('x-cache')).toBe('miss');
    }
  });
});

describe.each(['0', '1024'])('with a cache of %s bytes', (bytes) => {
  const app = useSharedApp({ CACHE_BYTES: bytes });

  it('given more data than fits, serves correct answers', async () => {
    const paths: string[] = [];
    for (let n = 0; n < 10; n += 1) paths.push(await app.client.add(BOOK.path, { ...BOOK.input, quantity: n }));
    for (const round of [1, 2]) {
      const read = await Promise.all(paths.map((path) => app.client.get(path)));
      expect([round, read.map((answer) => answer.json()['quantity'])]).toEqual([round, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    }
    expect((await app.client.get('/books')).json<object[]>()).toHaveLength(10);
  });
});
