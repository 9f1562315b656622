import { describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { type Answer, newKey } from './support/client.js';
import { RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const KEYS = { read: 'r'.repeat(16), write: 'w'.repeat(16), other: 'v'.repeat(16), operator: 'o'.repeat(16) };
const API_KEYS = `ann:read:${KEYS.read},bob:write:${KEYS.write},eve:write:${KEYS.other},ops:operator:${KEYS.operator}`;

/** The two ways to show a key. */
const WAYS = [
  ['X-Api-Key', (key: string) => ({ 'x-api-key': key })],
  ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
] as const;

describe('with keys set', () => {
  const app = useSharedApp({ API_KEYS });

  it.each([
    ['no key', {}],
    ['an unknown key', { 'x-api-key': 'x'.repeat(16) }],
    ['a prefix of a key', { 'x-api-key': 'r'.repeat(15) }],
    ['a key and more', { 'x-api-key': 'r'.repeat(17) }],
    ['an empty key', { 'x-api-key': '' }],
    ['a name for a key', { 'x-api-key': 'ann' }],
    ['two keys', { 'x-api-key': `${KEYS.read}, ${KEYS.write}` }],
    ['an unknown bearer', { authorization: `Bearer ${'x'.repeat(16)}` }],
    ['another scheme', { authorization: `Basic ${KEYS.write}` }],
    ['a bare key for authorization', { authorization: KEYS.write }],
  ])(
    'given a request with %s, answers 401 everywhere except at /health/live, /health/echo and /docs',
    async (_title, headers) => {
      const client = app.client.with(headers);
      const closed = ['/', '/books', '/books/1', '/customers', '/operations/x', '/health/ready', '/metrics'];
      for (const path of [...closed, '/nope', '/books/abc']) {
        const refused = await client.get(path);
        expect(refused.problem(401).code).toBe('unauthorized');
        expect(refused.header('www-authenticate')).toMatch(/Bearer/);
      }
      for (const { path, input } of RESOURCES) {
        (await client.post(path, input)).problem(401);
        (await client.put(`${path}/1`, input)).problem(401);
        (await client.delete(`${path}/1`)).problem(401);
      }
      for (const path of ['/health/live', '/health/echo', '/docs', '/docs/', '/docs-json', '/docs/swagger-ui.css']) {
        expect([path, (await client.get(path)).status]).toEqual([path, 200]);
        expect([path, (await client.send('HEAD', path)).status]).toEqual([path, 200]);
      }
      (await client.get('/docs/nope')).problem(404);
    },
  );

  it.each(WAYS)('given a read key sent as %s, serves reads and answers writes with 403', async (_title, way) => {
    const client = app.client.with(way(KEYS.read));
    for (const path of ['/', '/books', '/customers', '/metrics', '/docs', '/docs-json', '/health/ready']) {
      expect((await client.get(path)).status).toBe(200);
    }
    for (const { path, input } of RESOURCES) {
      expect((await client.send('HEAD', path)).status).toBe(200);
      for (const refused of [
        await client.post(path, input),
        await client.post(path, {}),
        await client.put(`${path}/1`, input),
        await client.delete(`${path}/1`),
      ]) {
        expect(refused.problem(403).code).toBe('forbidden');
      }
    }
    (await client.get('/nope')).problem(404);
    (await client.get('/books/abc')).problem(400);
  });

  it.each([
    ['write', KEYS.write],
    ['operator', KEYS.operator],
  ])('given a key with the role %s, serves reads and writes', async (_role, key) => {
    for (const [, way] of WAYS) {
      const client = app.client.with(way(key));
      for (const { path, input, changed } of RESOURCES) {
        const at = await client.add(path, input);
        expect((await client.get(at)).status).toBe(200);
        expect((await client.put(at, changed)).status).toBe(200);
        expect((await client.delete(at)).status).toBe(204);
      }
    }
  });

  it('given the same Idempotency-Key from two callers, treats them independently', async () => {
    const shared = { 'idempotency-key': newKey() };
    for (const { path, input, changed } of RESOURCES) {
      const bob = app.client.with({ 'x-api-key': KEYS.write, ...shared });
      const eve = app.client.with({ 'x-api-key': KEYS.other, ...shared });
      const bobs = await bob.post(path, input);
      const eves = await eve.post(path, changed);
      expect([bobs.status, eves.status]).toEqual([201, 201]);
      expect(eves.header('location')).not.toBe(bobs.header('location'));
      expect((await bob.post(path, input)).text).toBe(bobs.text);
      expect((await eve.post(path, changed)).text).toBe(eves.text);
    }
  });

  it('given the same API key in both headers, treats it as one caller', async () => {
    const shared = { 'idempotency-key': newKey() };
    const [first, replay] = await Promise.all(
      WAYS.map(([, way]) => app.client.with({ ...way(KEYS.write), ...shared }).post('/books', RESOURCES[0].input)),
    );
    expect(replay?.text).toBe(first?.text);
  });
});

describe('without keys', () => {
  const app = useSharedApp();

  it('given a write that another web site made a browser send, answers 403, but serves reads', async () => {
    const client = app.client.with({ 'sec-fetch-site': 'cross-site' });
    for (const { path, input } of RESOURCES) {
      (await client.post(path, input)).problem(403);
      (await client.delete(`${path}/1`)).problem(403);
      expect((await client.get(path)).status).toBe(200);
    }
    expect((await app.client.with({ 'sec-fetch-site': 'same-origin' }).post('/books', {})).status).toBe(400);
  });

  it('given a write from a page under another name for this machine, answers 403', async () => {
    const from = (origin: string): Promise<Answer> => app.client.with({ origin }).post('/books', {});
    (await from('http://evil.example')).problem(403);
    (await from('http://localhost.evil.example:5050')).problem(403);
    (await from('null')).problem(403);
    expect([(await from('http://localhost:5050')).status, (await from('http://[::1]:5050')).status]).toEqual([
      400, 400,
    ]);
  });

  it('given very many requests over loopback, answers all of them', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => app.client.get('/health/live')));
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    }
    expect((await app.client.get('/books')).hasHeader('x-ratelimit-limit')).toBe(false);
  });
});

describe('with a rate limit', () => {
  const app = useSharedApp({ RATE_LIMIT: '40', API_KEYS });

  it('given a caller beyond it, answers 429 with Retry-After on every path, and serves other callers', async () => {
    const bob = app.client.with({ 'x-api-key': KEYS.write });
    const burst = await Promise.all(Array.from({ length: 50 }, (_, n) => bob.get(n % 2 ? '/books' : '/nope')));
    expect(burst.filter(({ status }) => status === 429)).toHaveLength(10);
    const { input, path } = RESOURCES[0];
    for (const refused of [await bob.get('/'), await bob.post(path, input), await bob.get('/nope')]) {
      expect(refused.problem(429).code).toBe('rate-limited');
    }
    expect((await bob.get('/health/live')).status).toBe(200);
    const eve = await app.client.with({ 'x-api-key': KEYS.other }).post(path, input);
    expect([eve.status, eve.header('location')]).toEqual([201, '/books/1']);
  });

  it('given a caller that guesses keys, answers 429 after four, and serves callers with valid keys', async () => {
    const guesses = [];
    for (let guess = 0; guess < 6; guess += 1) {
      guesses.push(await app.client.get('/books', { 'x-api-key': `guess-of-16-char${String(guess)}` }));
    }
    expect(guesses.map(({ status }) => status)).toEqual([401, 401, 401, 401, 429, 429]);
    (await app.client.get('/nope')).problem(429);
    expect((await app.client.get('/books', { 'x-api-key': KEYS.read })).status).toBe(200);
  });

  it('given endless liveness checks with one key, answers all of them', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => app.client.get('/health/live')));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });
});

describe('given a HOST that other machines can reach', () => {
  it('given no keys, refuses to start with one line that says why', async () => {
    const directory = temporaryDirectory();
    const app = AppProcess.spawn(directory, { HOST: '0.0.0.0' });
    expect((await app.exited).code).toBe(1);
    expect(app.printed.trim().split('\n')).toHaveLength(1);
    expect(app.printed).toMatch(/API_KEYS must be set to listen on 0\.0\.0\.0/);
    removeDirectory(directory);
  });

  it('given keys, starts, requires them and limits requests', async () => {
    const directory = temporaryDirectory();
    const app = await AppProcess.start(directory, { HOST: '0.0.0.0', API_KEYS });
    const url = app.url.replace('0.0.0.0', '127.0.0.1');
    const refused = await fetch(`${url}/books`);
    const answered = await fetch(`${url}/books`, { headers: { 'x-api-key': KEYS.read } });
    expect([refused.status, answered.status]).toEqual([401, 200]);
    expect(answered.headers.get('x-ratelimit-limit')).toBe('6000');
    await app.stop();
    removeDirectory(directory);
  });

  it.each([
    ['API_KEYS', { API_KEYS: 'ann:boss:rrrrrrrrrrrrrrrr' }],
    ['API_KEYS', { API_KEYS: 'ann:read:short' }],
    ['API_KEYS', { API_KEYS: `ann:read:${KEYS.read},ann:write:${KEYS.write}` }],
    ['RATE_LIMIT', { RATE_LIMIT: '-1' }],
    ['RATE_LIMIT', { RATE_LIMIT: 'many' }],
  ])('given a wrong %s, refuses to start and names it', async (name, environment) => {
    const directory = temporaryDirectory();
    const app = AppProcess.spawn(directory, environment);
    expect((await app.exited).code).toBe(1);
    expect(app.printed).toMatch(new RegExp(`^misconfigured: .*${name}`));
    expect(app.printed.trim().split('\n')).toHaveLength(1);
    removeDirectory(directory);
  });
});
