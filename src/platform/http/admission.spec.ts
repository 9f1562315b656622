import { describe, expect, it } from '@jest/globals';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { type AdmissionOptions, OPEN_TO_THIS_MACHINE } from './admission.js';
import { CLUSTER_HEADER, clientNetworkOf } from './callers.js';
import { createHttpServer } from './http-server.js';
import { answerProblems } from './problem-answers.js';

const KEY = { name: 'ann', role: 'read', key: 'r'.repeat(16) } as const;
const PROOF = 'Bearer the-secret';
const DAY_MS = 86_400_000;

interface World {
  readonly server: FastifyInstance;
  readonly statusOf: (request: InjectOptions) => Promise<number>;
  nowMs: number;
}

function worldOf(options: Partial<AdmissionOptions> = {}): World {
  const logger = pino({ level: 'silent' });
  const world = { nowMs: 0 };
  const server = createHttpServer({
    ...OPEN_TO_THIS_MACHINE,
    ...{ headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 },
    newRequestId: () => 'id',
    logger,
    provesCluster: (given) => given === PROOF,
    nowMs: () => world.nowMs,
    ...options,
  });
  answerProblems(server, logger);
  server.get('/', (request) => ({ place: clientNetworkOf(request) }));
  server.post('/', () => ({}));
  server.get('/live', { config: { permission: 'open', isUncounted: true } }, () => ({}));
  server.get('/ready', { config: { isUncounted: true } }, () => ({}));
  server.get('/docs', { config: { permission: 'open' } }, () => ({}));
  server.get('/between', { config: { permission: 'cluster' } }, () => ({}));
  const statusOf = async (request: InjectOptions): Promise<number> => (await server.inject(request)).statusCode;
  return Object.assign(world, { server, statusOf });
}

async function statuses(times: number, ask: () => Promise<number>): Promise<number[]> {
  const found = [];
  for (let time = 0; time < times; time += 1) found.push(await ask());
  return found;
}

describe('a caller beyond the limit', () => {
  it.each([
    ['paths that are not served', {}, { url: '/nope' }, 404],
    ['paths that no router takes', {}, { url: '/%zz' }, 400],
    ['a foreign name', {}, { headers: { host: 'evil.example' } }, 421],
    ['writes from foreign pages', {}, { method: 'POST', headers: { origin: 'http://evil.example' } }, 403],
    ['wrong methods', {}, { method: 'DELETE' }, 405],
    ['no key', { apiKeys: [KEY] }, {}, 401],
    ['no key, where it would not be counted', { apiKeys: [KEY] }, { url: '/ready' }, 401],
    ['a key that may not write', { apiKeys: [KEY] }, { method: 'POST', headers: { 'x-api-key': KEY.key } }, 403],
  ] as const)('given %s, is refused with 429 and Retry-After', async (_what, options, request, status) => {
    const { server, statusOf } = worldOf({ requestsPerMinute: 3, ...options });
    const asked = { url: '/', ...request } as InjectOptions;
    expect(await statuses(4, () => statusOf(asked))).toEqual([status, status, status, 429]);
    expect((await server.inject(asked)).headers['retry-after']).toBe('60');
  });

  it.each([
    ['a wrong key', { url: '/', headers: { 'x-api-key': 'x' } }],
    ['a wrong key where it would not be counted', { url: '/ready', headers: { authorization: 'Bearer x' } }],
  ])('given %s, is refused ten times sooner, and a valid key from the same place is not', async (_what, request) => {
    const { statusOf } = worldOf({ requestsPerMinute: 30, apiKeys: [KEY] });
    expect(await statuses(4, () => statusOf(request))).toEqual([401, 401, 401, 429]);
    expect(await statusOf({ url: '/', headers: { 'x-api-key': KEY.key } })).toBe(200);
  });

  it('given a wrong key where none is needed, is refused ten times sooner than without one', async () => {
    const wrong = worldOf({ requestsPerMinute: 30, apiKeys: [KEY] });
    const request = { url: '/docs', headers: { 'x-api-key': 'x' } };
    expect(await statuses(4, () => wrong.statusOf(request))).toEqual([200, 200, 200, 429]);
    const without = worldOf({ requestsPerMinute: 30, apiKeys: [KEY] });
    expect(await statuses(31, () => without.statusOf({ url: '/docs' }))).toEqual([...Array<number>(30).fill(200), 429]);
  });

  it('given a wrong secret, is refused ten times sooner, and the right one never', async () => {
    const { statusOf } = worldOf({ requestsPerMinute: 30 });
    const ask = (authorization: string) => (): Promise<number> =>
      statusOf({ url: '/between', headers: { authorization } });
    expect(await statuses(4, ask('Bearer guess'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(50, ask(PROOF))).toEqual(Array<number>(50).fill(200));
  });

  it('given liveness checks, and with a key readiness checks, is always answered', async () => {
    const { statusOf } = worldOf({ requestsPerMinute: 1, apiKeys: [KEY] });
    expect(new Set(await statuses(20, () => statusOf({ url: '/live', headers: { 'x-api-key': 'x' } })))).toEqual(
      new Set([200]),
    );
    const ready = { url: '/ready', headers: { 'x-api-key': KEY.key } };
    expect(new Set(await statuses(20, () => statusOf(ready)))).toEqual(new Set([200]));
  });

  it('is answered again a minute later, whatever happened to the clock meanwhile', async () => {
    const world = worldOf({ requestsPerMinute: 1 });
    const ask = (): Promise<number> => world.statusOf({ url: '/' });
    expect(await statuses(2, ask)).toEqual([200, 429]);
    const { now } = Date;
    try {
      Date.now = () => now() - DAY_MS;
      world.nowMs += 59_999;
      expect(await ask()).toBe(429);
      world.nowMs += 1;
      expect(await ask()).toBe(200);
      Date.now = () => now() + DAY_MS;
      expect(await ask()).toBe(429);
    } finally {
      Date.now = now;
    }
  });

  it('given another address of its own IPv6 network, is the same caller', async () => {
    const { server, statusOf } = worldOf({ requestsPerMinute: 2 });
    const from = (remoteAddress: string) => (): Promise<number> => statusOf({ url: '/', remoteAddress });
    const asked = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:0db8:1:2:3:4:5:6', '2001:db8:1:3::1', '10.0.0.1'];
    expect(await Promise.all(asked.map((address) => from(address)()))).toEqual([200, 200, 429, 200, 200]);
    const places = ['::ffff:10.0.0.1', '::1', 'fe80::1%eth0'].map(async (remoteAddress) => {
      const { place } = (await server.inject({ url: '/', remoteAddress })).json<{ place: string }>();
      return place;
    });
    expect(await Promise.all(places)).toEqual(['10.0.0.1', '0:0:0:0', 'fe80:0:0:0']);
  });

  it('given a forwarded address, is believed only with the cluster secret', async () => {
    const { server } = worldOf();
    const placeWith = async (headers: Record<string, string>): Promise<string> =>
      (await server.inject({ url: '/', headers })).json<{ place: string }>().place;
    const forwarded = { 'x-forwarded-for': '192.0.2.7' };
    expect(await placeWith(forwarded)).toBe('127.0.0.1');
    expect(await placeWith({ ...forwarded, authorization: 'Bearer guess' })).toBe('127.0.0.1');
    expect(await placeWith({ ...forwarded, [CLUSTER_HEADER]: PROOF })).toBe('192.0.2.7');
    expect(await placeWith({ 'x-forwarded-for': 'anything', [CLUSTER_HEADER]: PROOF })).toBe('127.0.0.1');
  });
});

describe('a Host', () => {
  const named = { servedHosts: new Set(['shop.example', 'replica-1', '[2001:db8::1]']) };

  it.each([
    ...[
      'localhost',
      'LOCALHOST:5050',
      'localhost.',
      '127.0.0.1',
      '127.0.0.1:5071',
      '127.8.8.8:1',
      '[::1]',
      '[::1]:5050',
    ],
    ...['shop.example', 'Shop.Example:80', 'replica-1:5071', '[2001:db8::1]:5050'],
  ])('given "%s", is served', async (host) => {
    expect(await worldOf(named).statusOf({ url: '/', headers: { host } })).toBe(200);
  });

  it.each([
    ...['evil.example', 'evil.example:5050', 'localhost.evil.example', '127.0.0.1.evil.example', 'shop.example.evil'],
    ...['replica-10', '10.0.0.1:5050', '0.0.0.0:5050', '128.0.0.1', '[2001:db8::2]'],
  ])('given "%s", is refused with 421 without keys, for reads and writes, and served with keys', async (host) => {
    const { server, statusOf } = worldOf(named);
    const refused = await server.inject({ url: '/', headers: { host } });
    expect(refused.statusCode).toBe(421);
    expect(refused.json()).toMatchObject({ code: 'misdirected', detail: expect.stringContaining('ALLOWED_HOSTS') });
    expect(refused.body).not.toContain('place');
    expect(await statusOf({ url: '/nope', headers: { host } })).toBe(421);
    expect(await statusOf({ method: 'POST', url: '/', headers: { host } })).toBe(421);
    const keyed = worldOf({ servedHosts: 'any', apiKeys: [KEY] });
    expect(await keyed.statusOf({ url: '/', headers: { host, 'x-api-key': KEY.key } })).toBe(200);
  });

  it.each(['a b', 'user@127.0.0.1', '127.0.0.1/', '127.0.0.1:x', '127.0.0.1, evil.example', '[::1', '::1'])(
    'given "%s", which is not a Host, is refused with 400',
    async (host) => {
      expect(await worldOf({ servedHosts: 'any' }).statusOf({ url: '/', headers: { host } })).toBe(400);
    },
  );

  it('given a host that is not served, is served to a process of the same installation', async () => {
    const { statusOf } = worldOf();
    expect(await statusOf({ url: '/', headers: { host: 'app:5050', [CLUSTER_HEADER]: PROOF } })).toBe(200);
    expect(await statusOf({ url: '/between', headers: { host: 'app:5050', authorization: PROOF } })).toBe(200);
    expect(await statusOf({ url: '/', headers: { host: 'app:5050', [CLUSTER_HEADER]: 'Bearer guess' } })).toBe(421);
  });
});

describe('a request that a process of another installation forwards', () => {
  it('is refused with 421, with keys and without, and counted', async () => {
    const headers = { [CLUSTER_HEADER]: 'Bearer guess' };
    const { server, statusOf } = worldOf({ requestsPerMinute: 2 });
    const refused = await server.inject({ url: '/', headers });
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([421, 'misdirected']);
    expect(await statusOf({ method: 'POST', url: '/', headers })).toBe(421);
    expect(await statusOf({ url: '/', headers })).toBe(429);
    const keyed = worldOf({ servedHosts: 'any', apiKeys: [KEY] });
    expect(await keyed.statusOf({ method: 'POST', url: '/', headers: { ...headers, 'x-api-key': KEY.key } })).toBe(421);
  });
});

describe('a page of another origin', () => {
  const SHOP = 'https://shop.example';
  const corsOrigins = new Set([SHOP]);
  const PREFLIGHT = {
    method: 'OPTIONS',
    url: '/',
    headers: { origin: SHOP, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'if-match' },
  } as const;

  const ofCors = (headers: Readonly<Record<string, unknown>>): string[] =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  it('given an allowed origin, may send what our clients send and read the answers, including refusals', async () => {
    const { server } = worldOf({ corsOrigins, servedHosts: 'any', apiKeys: [KEY] });
    const preflight = await server.inject(PREFLIGHT);
    expect([preflight.statusCode, preflight.body]).toEqual([204, '']);
    const { headers } = preflight;
    expect(headers).toMatchObject({ 'access-control-allow-origin': SHOP, vary: 'Origin' });
    expect(headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PUT, DELETE');
    for (const name of [
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'X-Api-Key',
      'X-Write-Concern',
      'Content-Type',
    ]) {
      expect(String(headers['access-control-allow-headers']).split(', ')).toContain(name);
    }
    for (const [key, status] of [
      [KEY.key, 200],
      ['wrong', 401],
    ] as const) {
      const answer = await server.inject({ url: '/', headers: { origin: SHOP, 'x-api-key': key } });
      expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([status, SHOP]);
      for (const name of ['ETag', 'Link', 'Location', 'Retry-After', 'X-Commit', 'X-Total-Count', 'X-Request-Id']) {
        expect(String(answer.headers['access-control-expose-headers']).split(', ')).toContain(name);
      }
    }
  });

  it('given an allowed origin, may write without keys', async () => {
    const { statusOf } = worldOf({ corsOrigins });
    const headers = { origin: SHOP, 'sec-fetch-site': 'cross-site' };
    expect(await statusOf({ method: 'POST', url: '/', headers })).toBe(200);
  });

  it('given any other origin, gets no CORS header and no write', async () => {
    const { server } = worldOf({ corsOrigins });
    for (const origin of ['https://shop.example.evil', 'http://shop.example', 'https://shop.example:444', 'null']) {
      for (const method of ['GET', 'POST', 'OPTIONS'] as const) {
        const answer = await server.inject({ ...PREFLIGHT, method, headers: { ...PREFLIGHT.headers, origin } });
        expect([origin, method, ofCors(answer.headers), answer.headers.vary]).toEqual([origin, method, [], 'Origin']);
        expect(answer.statusCode).toBe({ GET: 200, POST: 403, OPTIONS: 405 }[method]);
      }
    }
  });

  it('given no CORS_ORIGINS, gets no CORS header', async () => {
    const { server } = worldOf();
    const preflight = await server.inject(PREFLIGHT);
    expect([preflight.statusCode, ofCors(preflight.headers), preflight.headers.vary]).toEqual([405, [], undefined]);
    const answer = await server.inject({ url: '/', headers: { origin: SHOP } });
    expect([answer.statusCode, ofCors(answer.headers)]).toEqual([200, []]);
  });

  it('given an allowed host name, may write like a page of this machine', async () => {
    const { statusOf } = worldOf({ servedHosts: new Set(['shop.local']) });
    const from = (origin: string): Promise<number> => statusOf({ method: 'POST', url: '/', headers: { origin } });
    expect(await Promise.all(['http://shop.local:5050', 'http://[::1]:5071', 'http://evil.local'].map(from))).toEqual([
      ...[200, 200, 403],
    ]);
  });
});

describe('a request that another process of this installation has counted', () => {
  it('is not counted again, and is when the sender cannot prove to be one', async () => {
    const { statusOf } = worldOf({ requestsPerMinute: 1 });
    const counted = { 'x-request-counted': '1' };
    const asked = { url: '/', headers: { ...counted, [CLUSTER_HEADER]: PROOF } };
    expect(await statuses(3, () => statusOf(asked))).toEqual([200, 200, 200]);
    expect(await statuses(2, () => statusOf({ url: '/', headers: counted }))).toEqual([200, 429]);
  });
});

describe('a limit that several processes share', () => {
  it.each([
    ['a path', { url: '/' }],
    ['a target that no router takes', { url: '/%zz' }],
  ])('is asked for %s, and its refusal is the answer', async (_, asked) => {
    const callers: string[] = [];
    const sharedQuota = {
      isAvailable: true,
      add: (caller: string) => {
        callers.push(caller);
        return Promise.resolve({ count: 5, isOver: true, endsInMs: 30_000 });
      },
    };
    const { server } = worldOf({ requestsPerMinute: 5, sharedQuota });
    const answer = await server.inject(asked);
    expect([answer.statusCode, answer.headers['retry-after'], callers]).toEqual([429, '30', ['from 127.0.0.1']]);
  });
});
