import { join } from 'node:path';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { drive, type Load } from '../load.js';
import { type ServerProcess, startApp, startBaseline } from '../processes.js';
import { RedisNodes } from '../redis-nodes.js';
import { storedRows } from '../stored.js';

const BOOKS = 100;
/** What a list of 100 books is to weigh. */
const MIN_LIST_BYTES = 9_500;
const MAX_LIST_BYTES = 10_500;
const MAX_NOT_MODIFIED_BYTES = 500;
const WARM_UP_SECONDS = 2;
const POLL_MS = 20;
const GIVE_UP_AFTER_MS = 10_000;

interface Read {
  readonly path: string;
  readonly status: 200 | 304;
}

const LIST: Read = { path: '/books?limit=100', status: 200 };

/** What one read must come back as, before and after each load. */
interface Expected {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

async function measure(bench: Bench, read: Read): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'reads');
  const app = await startApp(bench, join(directory, 'app'));
  const hello = await startBaseline(bench, 'hello', join(directory, 'hello'));
  try {
    const loadApp = await loaderOf(bench, app, read, 'memory');
    return await compare(bench, loadApp, helloLoader(bench, hello));
  } finally {
    await app.kill();
    await hello.kill();
  }
}

/** Memory holds nothing, so that every read that is not joined to another one asks Redis. */
async function measureRedis(bench: Bench, baseline: 'hello' | 'uncached'): Promise<readonly Round[]> {
  const directory = join(bench.directory, `redis-${baseline}`);
  const redis = await RedisNodes.start(join(directory, 'redis'));
  const settings = { SEED: 'off', ...redis.environment };
  const app = await startApp(bench, join(directory, 'app'), { ...settings, CACHE_BYTES: '0' });
  const other =
    baseline === 'hello'
      ? await startBaseline(bench, 'hello', join(directory, 'hello'))
      : await startApp(bench, join(directory, 'uncached'), { ...settings, CACHE: 'off' });
  try {
    const loadOther = baseline === 'hello' ? helloLoader(bench, other) : await loaderOf(bench, other, LIST, 'miss');
    return await compare(bench, await loaderOf(bench, app, LIST, 'redis'), loadOther);
  } finally {
    await app.kill();
    await other.kill();
    redis.close();
  }
}

type Loader = (seconds?: number) => Promise<number>;

function helloLoader(bench: Bench, hello: ServerProcess): Loader {
  return async (seconds = bench.seconds) => (await drive(bench.load, { url: hello.url, seconds })).perSecond;
}

/** Loads reads whose answers come from `source`. */
async function loaderOf(bench: Bench, app: ServerProcess, read: Read, source: string): Promise<Loader> {
  if ((await storedRows(app.url, '/books')) === 0) await addBooks(app);
  const expected = await look(app, read);
  await untilFrom(source, app, read, expected);
  return async (seconds = bench.seconds) => {
    const load: Load = { url: `${app.url}${read.path}`, seconds, headers: expected.headers };
    const { perSecond, bytesPerAnswer } = await drive(bench.load, load);
    const isWhole =
      read.status === 304 ? bytesPerAnswer < MAX_NOT_MODIFIED_BYTES : bytesPerAnswer > expected.bytes * 0.99;
    expect(isWhole, `${read.path}: ${bytesPerAnswer.toFixed()} bytes per answer`);
    await get(app, read, expected, source);
    expect((await storedRows(app.url, '/books')) === BOOKS, 'the number of books has changed');
    return perSecond;
  };
}

async function compare(bench: Bench, app: Loader, baseline: Loader): Promise<readonly Round[]> {
  await app(WARM_UP_SECONDS);
  await baseline(WARM_UP_SECONDS);
  return interleave(bench.rounds, app, baseline);
}

/** A tier outside the app takes a moment to get the value. */
async function untilFrom(source: string, app: ServerProcess, read: Read, expected: Expected): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    try {
      await get(app, read, expected, source);
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** Of a size that makes the list 10 KB. */
async function addBooks(app: ServerProcess): Promise<void> {
  for (let number = 1; number <= BOOKS; number += 1) {
    const book = {
      title: `A Book of the Bench, ${String(number)}`,
      author: 'Ursula K. Le Guin',
      price: 12.5,
      quantity: number,
    };
    const { status } = await fetch(`${app.url}/books`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(book),
    });
    expect(status === 201, `a book was answered with ${status}`);
  }
}

/** The first read: fills the cache and says what the later ones must be like. */
async function look(app: ServerProcess, { path, status }: Read): Promise<Expected> {
  const response = await fetch(`${app.url}${path}`);
  const body = await response.text();
  const bytes = Buffer.byteLength(body);
  expect(response.status === 200, `${path} was answered with ${response.status}`);
  const shown = JSON.parse(body) as unknown;
  if (Array.isArray(shown)) {
    expect(shown.length === BOOKS, `the list has ${shown.length} books`);
    expect(bytes >= MIN_LIST_BYTES && bytes <= MAX_LIST_BYTES, `the list has ${bytes} bytes`);
  }
  if (status === 200) return { headers: {}, bytes };
  return { headers: { 'If-None-Match': response.headers.get('etag') ?? '' }, bytes: 0 };
}

async function get(app: ServerProcess, read: Read, { headers, bytes }: Expected, cache: string): Promise<void> {
  const response = await fetch(`${app.url}${read.path}`, { headers });
  const body = await response.arrayBuffer();
  const source = response.headers.get('x-cache');
  expect(response.status === read.status, `${read.path} was answered with ${response.status}`);
  expect(body.byteLength === bytes, `${read.path}: ${body.byteLength} bytes instead of ${bytes}`);
  expect(source === cache, `${read.path}: X-Cache is ${source ?? 'missing'}, not ${cache}`);
}

const base = { unit: 'requests/s', better: 'higher' } as const;

export const READS: readonly Figure[] = [
  {
    ...base,
    name: 'book',
    title: 'GET /books/{id} against a bare Fastify hello',
    must: 0.65,
    aim: 0.8,
    measure: (bench) => measure(bench, { path: '/books/42', status: 200 }),
  },
  {
    ...base,
    name: 'books',
    title: 'GET /books?limit=100 (10 KB) from memory against a bare Fastify hello',
    must: 0.65,
    aim: 0.8,
    measure: (bench) => measure(bench, LIST),
  },
  {
    ...base,
    name: 'books-304',
    title: 'GET /books with If-None-Match (304) against a bare Fastify hello',
    must: 0.75,
    aim: 0.85,
    measure: (bench) => measure(bench, { path: '/books', status: 304 }),
  },
];

/** They need a Redis server. */
export const REDIS_READS: readonly Figure[] = [
  {
    ...base,
    name: 'books-redis',
    title: 'GET /books?limit=100 (10 KB) from Redis alone against a bare Fastify hello',
    must: 0.3,
    aim: 0.45,
    measure: (bench) => measureRedis(bench, 'hello'),
  },
  {
    ...base,
    name: 'books-redis-uncached',
    title: 'GET /books?limit=100 (10 KB) from Redis alone against the app with CACHE=off',
    must: 3,
    aim: 4.5,
    measure: (bench) => measureRedis(bench, 'uncached'),
  },
];
