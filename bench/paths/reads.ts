import { join } from 'node:path';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { drive, type Load } from '../load.js';
import { type ServerProcess, startApp, startBaseline } from '../processes.js';
import { storedRows } from '../stored.js';

const BOOKS = 100;
/** What a list of 100 books is to weigh. */
const MIN_LIST_BYTES = 9_500;
const MAX_LIST_BYTES = 10_500;
const MAX_NOT_MODIFIED_BYTES = 500;

interface Read {
  readonly path: string;
  readonly status: 200 | 304;
}

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
    if ((await storedRows(app.url, '/books')) === 0) await addBooks(app);
    const expected = await look(app, read);
    await get(app, read, expected, 'memory');
    const loadApp = async (seconds = bench.seconds): Promise<number> => {
      const load: Load = { url: `${app.url}${read.path}`, seconds, headers: expected.headers };
      const { perSecond, bytesPerAnswer } = await drive(bench.load, load);
      const isWhole =
        read.status === 304 ? bytesPerAnswer < MAX_NOT_MODIFIED_BYTES : bytesPerAnswer > expected.bytes * 0.99;
      expect(isWhole, `${read.path}: ${bytesPerAnswer.toFixed()} bytes per answer`);
      await get(app, read, expected, 'memory');
      return perSecond;
    };
    const loadHello = async (seconds = bench.seconds): Promise<number> =>
      (await drive(bench.load, { url: hello.url, seconds })).perSecond;
    await loadApp(2);
    await loadHello(2);
    const rounds = await interleave(bench.rounds, loadApp, loadHello);
    expect((await storedRows(app.url, '/books')) === BOOKS, 'the number of books has changed');
    return rounds;
  } finally {
    await app.kill();
    await hello.kill();
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
    title: 'GET /books (100 books, 10 KB) against a bare Fastify hello',
    must: 0.65,
    aim: 0.8,
    measure: (bench) => measure(bench, { path: '/books', status: 200 }),
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
