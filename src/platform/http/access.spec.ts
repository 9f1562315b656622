import { describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { ROLES } from '../../kernel/index.js';
import { type AdmissionOptions, OPEN_TO_THIS_MACHINE } from './admission.js';
import { createHttpServer } from './http-server.js';
import { answerProblems } from './problem-answers.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;
const PERMISSIONS = ['read', 'write', 'operator', 'open', 'cluster'] as const;
type Route = 'unnamed' | (typeof PERMISSIONS)[number];

const KEYS = { read: 'r'.repeat(16), write: 'w'.repeat(16), operator: 'o'.repeat(16) } as const;
const CALLERS = {
  'no key': {},
  'an unknown key': { 'x-api-key': 'x'.repeat(16) },
  'an unknown bearer': { authorization: `Bearer ${'x'.repeat(16)}` },
  read: { 'x-api-key': KEYS.read },
  write: { authorization: `Bearer ${KEYS.write}` },
  operator: { 'x-api-key': KEYS.operator },
} as const;

/** By route and method: what the callers get, in the order of CALLERS. */
const ANYONE = [200, 200, 200, 200, 200, 200];
const READERS = [401, 401, 401, 200, 200, 200];
const WRITERS = [401, 401, 401, 403, 200, 200];
const OPERATORS = [401, 401, 401, 403, 403, 200];
const EXPECTED: Readonly<Record<Route, Readonly<Record<(typeof METHODS)[number], readonly number[]>>>> = {
  unnamed: { GET: READERS, HEAD: READERS, POST: WRITERS, PUT: WRITERS, DELETE: WRITERS },
  read: { GET: READERS, HEAD: READERS, POST: READERS, PUT: READERS, DELETE: READERS },
  write: { GET: WRITERS, HEAD: WRITERS, POST: WRITERS, PUT: WRITERS, DELETE: WRITERS },
  operator: { GET: OPERATORS, HEAD: OPERATORS, POST: OPERATORS, PUT: OPERATORS, DELETE: OPERATORS },
  open: { GET: ANYONE, HEAD: ANYONE, POST: ANYONE, PUT: ANYONE, DELETE: ANYONE },
  cluster: { GET: ANYONE, HEAD: ANYONE, POST: ANYONE, PUT: ANYONE, DELETE: ANYONE },
};
const ROUTES = Object.keys(EXPECTED) as Route[];
const CASES = ROUTES.flatMap((route) => METHODS.map((method) => [method, route] as const));

function serverWith(options: Partial<AdmissionOptions>): FastifyInstance {
  const logger = pino({ level: 'silent' });
  const server = createHttpServer({
    ...OPEN_TO_THIS_MACHINE,
    ...{ headersTimeoutMs: 10_000, requestTimeoutMs: 30_000, newRequestId: () => 'id', logger },
    ...options,
  });
  answerProblems(server, logger);
  const method = [...METHODS];
  server.route({ method, url: '/unnamed', handler: () => ({}) });
  for (const permission of PERMISSIONS) {
    server.route({ method, url: `/${permission}`, config: { permission }, handler: () => ({}) });
  }
  return server;
}

/** In the order of `callers`. */
async function statuses(
  server: FastifyInstance,
  [method, route]: (typeof CASES)[number],
  callers: readonly Readonly<Record<string, string>>[],
): Promise<readonly number[]> {
  const asked = callers.map((headers) => server.inject({ method, url: `/${route}`, headers }));
  return (await Promise.all(asked)).map(({ statusCode }) => statusCode);
}

describe('with keys', () => {
  const apiKeys = (['read', 'write', 'operator'] as const).map((role) => ({ name: role, role, key: KEYS[role] }));
  const server = serverWith({ apiKeys, servedHosts: 'any' });

  it('every existing role is tested here', () => {
    expect([...ROLES].sort()).toEqual(Object.keys(KEYS).sort());
  });

  it.each(CASES)("%s on a route that needs %s, is answered as the caller's key allows", async (...asked) => {
    const [method, route] = asked;
    expect(await statuses(server, asked, Object.values(CALLERS))).toEqual(EXPECTED[route][method]);
  });

  it('a caller without a valid key, or with an insufficient one, learns what it needs', async () => {
    const unknown = await server.inject({ method: 'POST', url: '/unnamed', headers: CALLERS['an unknown key'] });
    expect(unknown.json()).toMatchObject({ code: 'unauthorized', detail: expect.stringContaining('X-Api-Key') });
    const refused = await server.inject({ method: 'POST', url: '/unnamed', headers: CALLERS.read });
    expect(refused.json()).toMatchObject({
      code: 'forbidden',
      detail: 'this request needs the role write or operator, but the key has the role read',
    });
  });

  it.each(CASES)(
    '%s on a route that needs %s, from a page of another site, is decided by the key',
    async (...asked) => {
      const [method, route] = asked;
      const page = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' };
      const callers = Object.values(CALLERS).map((headers) => ({ ...headers, ...page }));
      expect(await statuses(server, asked, callers)).toEqual(EXPECTED[route][method]);
    },
  );
});

describe('without keys', () => {
  const SHOP = 'https://shop.example';
  const server = serverWith({ corsOrigins: new Set([SHOP]), servedHosts: new Set(['shop.local']) });

  /** Each is enough to know a page of another site by. */
  const FOREIGN: readonly Readonly<Record<string, string>>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost.evil.example:5050', 'sec-fetch-site': 'same-site' },
    { origin: 'http://localhost:5050', 'sec-fetch-site': 'cross-site' },
  ];
  const OWN: readonly Readonly<Record<string, string>>[] = [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { origin: 'http://localhost:5050', 'sec-fetch-site': 'same-origin' },
    { origin: 'http://shop.local' },
    { origin: SHOP, 'sec-fetch-site': 'cross-site' },
  ];

  it.each(CASES)(
    '%s on a route that needs %s, is allowed for every caller on this machine, with any key',
    async (...asked) => {
      expect(await statuses(server, asked, Object.values(CALLERS))).toEqual(ANYONE);
      expect(await statuses(server, asked, OWN)).toEqual(OWN.map(() => 200));
    },
  );

  it.each(CASES)(
    '%s on a route that needs %s, from a page of another site, is allowed only for reads',
    async (...asked) => {
      const expected = asked[0] === 'GET' || asked[0] === 'HEAD' ? 200 : 403;
      expect(await statuses(server, asked, FOREIGN)).toEqual(FOREIGN.map(() => expected));
    },
  );
});
