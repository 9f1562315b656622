import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client, newKey } from '../e2e/support/client.js';
import { endpointsOf, fetchOpenApi } from '../e2e/support/openapi.js';
import { BOOK, CUSTOMER } from '../e2e/support/resources.js';
import { judge } from '../fuzz/fuzz-judge.js';
import { fuzzRequest } from '../fuzz/fuzz-requests.js';
import { FuzzTarget } from '../fuzz/fuzz-target.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReaderProcess } from '../support/reader-process.js';

const STOPPED_WITHIN_MS = 2_000;
const FUZZ_SEED = 1;
const FUZZ_REQUESTS = 1_500;
const PATHS = [
  '/books /books/ /books?limit=2 /books?limit=2&after=1 /books/1 /books/1/ /books/99 /books/x /books?limit=0 /books?limi=1',
  '/books// /books/1?a=b /customers /customers/1 /nothing /customers?limi=1 /replication/status/x',
].flatMap((paths) => paths.split(' '));
const OF_ONE_ANSWER = ['x-request-id', 'date', 'x-cache', 'x-operation-id'];

let directory: string;
let dataDirectory: string;
let app: AppProcess | undefined;
let readers: ReaderProcess[];

beforeEach(() => {
  directory = temporaryDirectory();
  dataDirectory = join(directory, 'data');
  mkdirSync(dataDirectory);
  readers = [];
});

afterEach(async () => {
  for (const reader of readers) await reader.kill();
  await app?.kill();
  app = undefined;
  removeDirectory(directory);
});

async function startApp(environment: Readonly<Record<string, string>> = {}): Promise<Client> {
  app = await AppProcess.start(dataDirectory, environment);
  return new Client(app.url);
}

async function startReader(environment: Readonly<Record<string, string>> = {}): Promise<ReaderProcess> {
  const reader = await ReaderProcess.start(dataDirectory, environment);
  readers.push(reader);
  return reader;
}

async function readerThatRefuses(): Promise<string> {
  const reader = ReaderProcess.spawn(dataDirectory);
  readers.push(reader);
  const { code } = await reader.exited;
  expect([code, reader.printed.trim().split('\n').length]).toEqual([1, 1]);
  return reader.printed;
}

/** All of the data directory but SQLite's index of the log, and the run files of readers. */
function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/-shm$|^reader-/.test(name) && statSync(join(path, name)).isFile())
    .map((name) => {
      const { size, mtimeMs, mode, ino } = statSync(join(path, name));
      const content = createHash('sha256')
        .update(readFileSync(join(path, name)))
        .digest('hex');
      return [name, size, mtimeMs, mode, ino, content].join(' ');
    })
    .sort();
}

/** Status, headers and body, without what belongs to one answer alone. */
async function answerOf(url: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(url + path, init);
  const headers = [...answer.headers].filter(([name]) => !OF_ONE_ANSWER.includes(name));
  return { path, status: answer.status, headers, body: (await answer.text()).replaceAll(/reader|"id":\d+/g, '') };
}

describe('a reader beside an app', () => {
  it('answers reads of books as the app does, from memory the second time', async () => {
    const client = await startApp({ CORS_ORIGINS: 'http://shop.example' });
    for (let n = 0; n < 5; n += 1) await client.add(BOOK.path, { ...BOOK.input, quantity: n });
    const reader = await startReader({ CORS_ORIGINS: 'http://shop.example' });
    const etag = (await client.get('/books/1')).header('etag');
    const asked: [string, RequestInit?][] = [
      ...PATHS.map((path): [string] => [path]),
      ['/books/1', { headers: { 'if-none-match': etag } }],
      ['/books/1', { headers: { 'if-match': '"other"' } }],
      ['/books/1', { headers: { origin: 'http://shop.example' } }],
      ['/books', { method: 'HEAD' }],
      ['/customers', { method: 'HEAD' }],
      ['/books', { method: 'PATCH' }],
      ['/books/', { method: 'DELETE' }],
      ['/books', { method: 'POST', body: '{' }],
      ['/books', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }],
      ['/books', { method: 'POST', headers: { origin: 'http://evil.example' } }],
    ];
    for (const [path, init] of asked) {
      expect(await answerOf(reader.url, path, init)).toEqual(await answerOf(app!.url, path, init));
    }
    const books = new Client(reader.url);
    expect((await books.get('/books?limit=3')).header('x-cache')).toBe('miss');
    expect((await books.get('/books?limit=3')).header('x-cache')).toBe('memory');
    await client.put('/books/1', BOOK.changed);
    expect((await books.get('/books?limit=3')).header('x-cache')).toBe('miss');
  });

  it('says what it is, is ready, is documented, counts requests, and refuses a foreign Host', async () => {
    await startApp();
    const reader = await startReader();
    const client = new Client(reader.url);
    const { links } = (await client.get('/')).json<{ links: Record<string, string> }>();
    for (const link of Object.values(links)) expect([link, (await client.get(link)).status]).toEqual([link, 200]);
    expect((await client.get('/health/live')).json()).toEqual({ status: 'ok', pid: reader.pid });
    expect((await client.get('/health/ready')).json()).toEqual({
      status: 'ok',
      details: { 'sql-read': { status: 'up' }, cache: { status: 'up', redis: 'off' } },
    });
    expect(Object.keys((await fetchOpenApi(client)).paths)).toContain('/books/{id}');
    expect((await client.get('/metrics')).text).toContain('method="GET",route="/books",status="200"');
    const target = new FuzzTarget(reader.url, reader.pid);
    const foreign = await target.send({
      method: 'GET',
      target: 'http://evil.example/books',
      headers: [],
      body: undefined,
    });
    target.close();
    expect(foreign.status).toBe(421);
  });

  it('keeps to API keys and counts requests against RATE_LIMIT', async () => {
    const keys = { API_KEYS: 'a:read:key-of-16-characters,b:write:key-that-may-write', RATE_LIMIT: '20' };
    await startApp(keys);
    const reader = await startReader(keys);
    const client = new Client(reader.url);
    (await client.get('/books')).problem(401);
    const reading = client.with({ 'x-api-key': 'key-of-16-characters' });
    expect((await reading.get('/books')).status).toBe(200);
    (await reading.post('/books', BOOK.input)).problem(403);
    const writing = client.with({ 'x-api-key': 'key-that-may-write' });
    expect((await writing.post('/books', BOOK.input)).status).toBe(201);
    (await writing.post('/transactions/recover')).problem(403);
    const statuses: number[] = [];
    for (let n = 0; n < 20; n += 1) statuses.push((await reading.get('/books')).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
  });

  it('passes writes on, with their conditions, and repeats one with its key', async () => {
    await startApp();
    const reader = await startReader();
    const client = new Client(reader.url);
    const key = { 'idempotency-key': newKey() };
    const added = await client.post(BOOK.path, BOOK.input, key);
    expect([added.status, added.header('location')]).toEqual([201, '/books/1']);
    const again = await client.post(BOOK.path, BOOK.input, key);
    expect([again.status, again.text, again.header('idempotency-replayed')]).toEqual([201, added.text, 'true']);
    (await client.post(BOOK.path, BOOK.changed, key)).problem(422);
    const etag = (await client.get('/books/1')).header('etag');
    expect((await client.put('/books/1', BOOK.changed, { 'if-match': etag })).status).toBe(200);
    (await client.put('/books/1', BOOK.input, { 'if-match': etag })).problem(412);
    expect((await client.get('/books/1')).json()).toEqual({ id: 1, ...BOOK.changed });
    expect((await client.delete('/books/1')).status).toBe(204);
    (await client.get('/books/1')).problem(404);
    const customer = await client.add(CUSTOMER.path, CUSTOMER.input);
    expect((await client.get(customer)).json()).toMatchObject(CUSTOMER.input);
    (await client.send('POST', '/books', { body: ' '.repeat(1_100_000) })).problem(413);
  });

  it('never answers with a version older than one that the app or the reader has acknowledged', async () => {
    const atApp = await startApp();
    const atReader = new Client((await startReader()).url);
    const at = await atApp.add(BOOK.path, { ...BOOK.input, quantity: 0 });
    const deliver = `/stock/add/${at.replace('/books/', 'book-')}/1`;
    let answered = 0;
    let isWriting = true;
    const reading = async (): Promise<void> => {
      for (let seen = 0; isWriting;) {
        const min = Math.max(seen, answered);
        const { quantity } = (await atReader.get(at)).json<{ quantity: number }>();
        expect(quantity).toBeGreaterThanOrEqual(min);
        seen = quantity;
      }
    };
    const writing = async (): Promise<void> => {
      for (let quantity = 1; quantity <= 150; quantity += 1) {
        const client = quantity % 2 === 0 ? atApp : atReader;
        if (quantity % 3 === 0) await client.post(deliver);
        else await client.put(at, { ...BOOK.input, quantity });
        answered = quantity;
      }
    };
    await Promise.all([reading(), reading(), reading(), writing().finally(() => (isWriting = false))]);
    expect((await atReader.get(at)).json()['quantity']).toBe(150);
  });

  it('goes on reading while the app is killed, refuses the rest, and follows the next start', async () => {
    const client = await startApp();
    const at = await client.add(BOOK.path, BOOK.input);
    const reader = await startReader();
    const atReader = new Client(reader.url);
    const inodes = (): number[] =>
      ['', '-wal', '-shm'].map((end) => statSync(join(dataDirectory, `bookstore.db${end}`)).ino);
    const before = inodes();
    await app?.kill();
    expect((await atReader.get(at)).json()).toMatchObject(BOOK.input);
    expect((await atReader.get('/health/ready')).status).toBe(200);
    expect((await atReader.post(BOOK.path, BOOK.input)).problem(503).code).toBe('not-ready');
    (await atReader.get('/customers')).problem(503);
    const again = await startApp();
    await again.put(at, BOOK.changed);
    expect((await atReader.get(at)).json()).toMatchObject(BOOK.changed);
    expect((await atReader.put(at, BOOK.input)).status).toBe(200);
    await app?.stop();
    expect((await atReader.get(at)).json()).toMatchObject(BOOK.input);
    expect(statSync(join(dataDirectory, 'bookstore.db-wal')).size).toBe(0);
    expect(inodes()).toEqual(before);
  });

  it('beside an app that does not move, writes nothing but its run file, and stops in time', async () => {
    const client = await startApp();
    await client.add(BOOK.path, BOOK.input);
    process.kill(app!.pid, 'SIGSTOP');
    const before = filesOf(dataDirectory);
    const reader = await startReader();
    const atReader = new Client(reader.url);
    for (const path of ['/books', '/books/1', '/books/2', '/docs-json', '/metrics']) await atReader.get(path);
    const unanswered = atReader.post(BOOK.path, BOOK.input);
    await eventually(async () => expect((await atReader.get('/metrics')).text).toMatch(/^http_writes_under_way 1$/m));
    expect(filesOf(dataDirectory)).toEqual(before);
    const begunMs = performance.now();
    expect(await reader.stop()).toEqual({ code: 0, signal: null });
    expect(readdirSync(dataDirectory).filter((name) => name.startsWith('reader-'))).toEqual([]);
    expect(performance.now() - begunMs).toBeLessThan(STOPPED_WITHIN_MS);
    (await unanswered).problem(504);
    expect(filesOf(dataDirectory)).toEqual(before);
  });

  it.each([
    ['removed', (file: string): void => rmSync(file), /was removed or renamed/],
    [
      'replaced by a copy',
      (file: string): void => {
        copyFileSync(file, `${file}.copy`);
        renameSync(`${file}.copy`, file);
      },
      /was replaced by another file/,
    ],
    [
      'restored in place, without its log',
      (file: string): void => {
        copyFileSync(file, `${file}.copy`);
        for (const ending of ['-wal', '-shm']) rmSync(`${file}${ending}`);
        copyFileSync(`${file}.copy`, file);
      },
      /bookstore\.db-(?:wal|shm) was removed or renamed/,
    ],
    [
      'restored in place, beside its log',
      (file: string): void => copyFileSync(`${file}.older`, file),
      /bookstore\.db was written over while it was in use/,
    ],
  ])('ends with one clear line when the database is %s', async (_, replace, line) => {
    const client = await startApp();
    const file = join(dataDirectory, 'bookstore.db');
    copyFileSync(file, `${file}.older`);
    await client.add(BOOK.path, BOOK.input);
    const reader = await startReader();
    await app?.stop();
    expect((await fetch(`${reader.url}/books`)).status).toBe(200);
    replace(file);
    const answers: number[] = [];
    const asking = (async (): Promise<void> => {
      for (;;) answers.push((await fetch(`${reader.url}/books`)).status);
    })().catch(() => undefined);
    expect(await reader.exited).toMatchObject({ code: 70 });
    await asking;
    expect(new Set(answers)).toEqual(new Set(answers.length > 0 ? [503] : []));
    const stopping = reader.printed.split('\n').filter((text) => text.startsWith('stopping at once'));
    expect(stopping).toEqual([expect.stringMatching(line)]);
  });

  it('gets odd requests, and answers none with an error that is not known', async () => {
    const client = await startApp({ SEED: 'on', READ_WAIT_MS: '20' });
    const reader = await startReader();
    const document = await fetchOpenApi(client);
    const endpoints = endpointsOf(document);
    const target = new FuzzTarget(reader.url, reader.pid);
    const faults: string[] = [];
    for (let number = 0; number < FUZZ_REQUESTS; number += 1) {
      const request = fuzzRequest(document, endpoints, FUZZ_SEED, number);
      const answer = await target.send(request);
      const fault = judge({ ...request, isOfEndpoint: false }, answer);
      const isFault = fault !== undefined && (answer.status >= 500 || !fault.startsWith('a status'));
      if (isFault)
        faults.push(`${String(number)} ${request.method} ${request.target.slice(0, 200)}: ${fault} ${answer.text}`);
    }
    target.close();
    expect(faults).toEqual([]);
  });
});

describe('a start of a reader is refused with one line', () => {
  it('when the database is missing, and nothing is created', async () => {
    expect(await readerThatRefuses()).toMatch(/^not-ready: .*bookstore\.db is not there: start the app first/);
    expect(readdirSync(dataDirectory)).toEqual([]);
  });

  it.each([
    ['older', "DELETE FROM migrations WHERE name LIKE 'SealBooks%'", /older version \(it has not seen SealBooks/],
    ['newer', "INSERT INTO migrations (timestamp, name) VALUES (1, 'Later1')", /newer version \(it has seen Later1\)/],
    ['of no app', 'DROP TABLE migrations', /is of an older version/],
  ])('when the schema is %s', async (_, change, line) => {
    await startApp();
    await app?.stop();
    const handle = new BetterSqlite3(join(dataDirectory, 'bookstore.db'));
    handle.exec(change);
    handle.close();
    expect(await readerThatRefuses()).toMatch(line);
  });

  it('and a reader ends when the schema changes under it', async () => {
    await startApp();
    const reader = await startReader();
    const handle = new BetterSqlite3(join(dataDirectory, 'bookstore.db'));
    handle.exec("INSERT INTO migrations (timestamp, name) VALUES (1, 'Later1'); CREATE TABLE later (id INTEGER)");
    handle.close();
    await eventually(() => fetch(`${reader.url}/books`).then(({ status }) => expect(status).toBe(503)));
    expect(await reader.exited).toMatchObject({ code: 70 });
    expect(reader.printed).toMatch(/stopping at once: .* is of a newer version/);
  });
});
