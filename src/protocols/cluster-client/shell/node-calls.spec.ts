import { describe, expect, it } from '@jest/globals';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answerOf } from '../../../../test/support/answer-of.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import { AppError } from '../../../kernel/index.js';
import { type NodeCall, NodeClient } from '../../../platform/node-client/index.js';
import { type CallEnd, type CallOptions, callNode, saidBy, type Spent } from './node-calls.js';

/** The result of one attempt. */
type Attempt = Response | Error;

interface Called {
  readonly end: CallEnd;
  readonly spent: Spent;
  readonly waitsMs: readonly number[];
  readonly asked: readonly (NodeCall & { readonly url: string; readonly timeoutMs: number })[];
  readonly sites: readonly string[];
}

const OPTIONS: CallOptions = {
  ...{ attempts: 4, patienceMs: 60_000, deadlineMs: 50, backoff: { baseMs: 100, maxMs: 350 } },
};
const status = (code: number, headers: Record<string, string> = {}): Response =>
  new Response('{}', { status: code, headers });
const UNSENT = new AppError('not-ready', 'nothing is listening there', { retry: 'safe' });
const BROKEN = new AppError('outcome-unknown', 'the connection broke', { retry: 'unknown' });

/** Each attempt takes a second on a clock that begins at the Unix epoch; every random number is a half. */
async function call(
  attempts: readonly Attempt[],
  options: Partial<CallOptions> = {},
  method: 'GET' | 'POST' = 'POST',
): Promise<Called> {
  const left = [...attempts];
  const asked: Called['asked'][number][] = [];
  const waitsMs: number[] = [];
  const sites: string[] = [];
  const spent: Spent = { attempts: 0, ms: 0 };
  let elapsed = 0;
  const ports = {
    crashSites: { reach: (site: string) => void sites.push(site) },
    call: (origin: string, request: NodeCall, timeoutMs: number) => {
      asked.push({ ...request, url: origin + request.path, timeoutMs });
      elapsed += 1_000;
      const next = left.shift() ?? new Error('nothing planned');
      return next instanceof Response ? answerOf(next) : Promise.reject(next);
    },
    clock: new SimulatedClock(0),
    chance: () => 0.5,
    pause: (ms: number) => {
      waitsMs.push(ms);
      elapsed += ms;
      return Promise.resolve();
    },
    elapsedMs: () => elapsed,
  };
  const request = {
    method,
    path: '/v1/group',
    body: { groupId: '1' },
    headers: { 'x-operation-id': 'op' },
  };
  const end = await callNode(ports, { ...OPTIONS, ...options }, 'host:1', request, spent);
  return { end, spent, waitsMs, asked, sites };
}

describe('a call to a node', () => {
  it('goes to its address with its method, headers and body, and its answer is read as JSON', async () => {
    const { end, asked, spent, sites } = await call([Response.json({ groupId: '1' }, { status: 201 })], {
      apiKey: 'key',
    });

    expect(end).toMatchObject({ answer: { status: 201, body: { groupId: '1' } }, mayLand: false });
    expect(asked[0]).toMatchObject({
      ...{ url: 'http://host:1/v1/group', timeoutMs: 50, method: 'POST', body: '{"groupId":"1"}' },
      headers: { 'x-operation-id': 'op', 'x-api-key': 'key', 'content-type': 'application/json' },
    });
    expect(spent).toEqual({ attempts: 1, ms: 1_000 });
    expect(sites).toEqual(['cluster.call.before', 'cluster.call.after']);
  });

  it('that is answered without JSON counts as answered', async () => {
    const { end } = await call([new Response('<html>', { status: 200 })]);

    expect(end.answer).toMatchObject({ status: 200, body: undefined });
  });

  it.each([200, 201, 204, 400, 401, 403, 404, 409, 422])('that is answered with %i is not repeated', async (code) => {
    const response = code === 204 ? new Response(null, { status: 204 }) : status(code);
    const { end, spent } = await call([response]);

    expect([end.answer?.status, end.mayLand, spent.attempts]).toEqual([code, false, 1]);
  });

  it.each<[string, Attempt, boolean]>([
    ['429', status(429), false],
    ['408', status(408), true],
    ['502', status(502), true],
    ['503', status(503), true],
    ['504', status(504), true],
    ['an error of the kind that proxies make up', status(520), true],
    ['no connection', UNSENT, false],
    ['a broken connection', BROKEN, true],
    ['an unexpected error', new TypeError('oh'), true],
  ])('that meets %s is repeated, and its outcome is unknown', async (_, fault, mayLand) => {
    const { end, spent } = await call([fault, status(201)]);

    expect([end.answer?.status, end.mayLand, spent.attempts]).toEqual([201, mayLand, 2]);
  });

  it.each([500, 501])('that changes something and is answered with %i is not repeated', async (code) => {
    const { end, spent } = await call([status(code), status(201)]);

    expect([end.answer?.status, end.mayLand, spent.attempts]).toEqual([code, false, 1]);
  });

  it.each([500, 501])('that reads and is answered with %i is repeated', async (code) => {
    expect((await call([status(code), status(200)], {}, 'GET')).end.answer?.status).toBe(200);
  });

  it('that reaches no server is repeated with growing waits until the patience ends, and once more then', async () => {
    const { spent, waitsMs } = await call(
      Array.from({ length: 99 }, () => UNSENT),
      { attempts: 99, patienceMs: 9_100 },
    );

    expect(waitsMs).toEqual([50, 100, 175, 175, 175, 175, 175, 75]);
    expect(spent).toEqual({ attempts: 9, ms: 10_100 });
  });

  it.each([307, 308])(
    'that is answered with %i is sent once, unchanged, to the new path on the same server',
    async (code) => {
      const { end, asked, spent } = await call([status(code, { location: '/v1/group/' }), status(201)]);

      expect([end.answer?.status, end.mayLand, spent.attempts]).toEqual([201, false, 1]);
      expect(asked.map(({ url }) => url)).toEqual(['http://host:1/v1/group', 'http://host:1/v1/group/']);
      expect(asked[1]).toMatchObject({ method: 'POST', body: '{"groupId":"1"}', headers: asked[0]?.headers });
    },
  );

  it.each([
    'http://other:1/v1/group',
    'https://host:1/v1/group',
    'http://host:2/v1/group',
    '//other/v1/group',
    'file:///v1/group',
  ])('that is redirected to %s, another server, is not sent there, and its answer is reported', async (location) => {
    const { end, asked } = await call([status(308, { location }), status(201)]);

    expect([end.answer?.status, end.mayLand, asked.length]).toEqual([308, false, 1]);
    expect(saidBy(end.answer!)).toMatch(/^it answered 308 and sends to .*\/v1\/group, which is not followed$/);
  });

  it('that is redirected twice is not redirected again', async () => {
    const { end, asked } = await call([1, 2, 3].map((index) => status(307, { location: `/${String(index)}` })));

    expect([saidBy(end.answer!), asked.length]).toEqual([
      'it answered 307 and sends to http://host:1/2, which is not followed',
      2,
    ]);
  });

  it.each([{}, { location: 'http://' }])('that is answered with 308 and %j is not redirected', async (headers) => {
    expect((await call([status(308, headers), status(201)])).end).toMatchObject({ answer: { status: 308 } });
  });

  it('is tried at most the given number of times, after growing waits with a maximum', async () => {
    const { end, spent, waitsMs, sites } = await call(
      Array.from({ length: 9 }, () => UNSENT),
      { attempts: 5 },
    );

    expect(end).toEqual({ cause: 'nothing is listening there', mayLand: false });
    expect(waitsMs).toEqual([50, 100, 175, 175]);
    expect(spent).toEqual({ attempts: 5, ms: 5_500 });
    expect(sites).toHaveLength(10);
  });

  it.each([
    ['GET', true],
    ['POST', false],
  ] as const)('with %s is repeated over another connection: %s', async (method, isRepeatable) => {
    expect((await call([status(200)], {}, method)).asked[0]?.isRepeatable).toBe(isRepeatable);
  });

  it('with one attempt does not wait', async () => {
    const { end, waitsMs } = await call([BROKEN], { attempts: 1 });

    expect(waitsMs).toEqual([]);
    expect(end).toEqual({ cause: 'the connection broke', mayLand: true });
  });

  it('that may land once, may land whatever follows', async () => {
    const { end } = await call([BROKEN, UNSENT, status(429), status(404)]);

    expect(end).toMatchObject({ answer: { status: 404 }, mayLand: true });
  });

  it('returns its last answer even if that is an error', async () => {
    expect((await call([status(502), status(503)], { attempts: 2 })).end).toMatchObject({ answer: { status: 503 } });
  });

  it.each<[string, number]>([
    ['3', 3_000],
    ['0', 50],
    ['Thu, 01 Jan 1970 00:00:07 GMT', 7_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 50],
    ['10', 10_000],
    ['soon', 50],
  ])('given a Retry-After of %s, waits for it', async (header, waitMs) => {
    const { end, waitsMs, spent } = await call([status(503, { 'retry-after': header }), status(201)]);

    expect(end.answer?.status).toBe(201);
    expect([waitsMs, spent.ms]).toEqual([[waitMs], 2_000 + waitMs]);
  });

  it.each(['11', '86400', 'Thu, 01 Jan 1970 00:00:11 GMT'])(
    'given a Retry-After of %s, beyond the patience, gives up at once',
    async (header) => {
      const { end, waitsMs } = await call([status(429, { 'retry-after': header }), status(201)], {
        patienceMs: 11_000,
      });

      expect([end.answer?.status, end.mayLand, waitsMs]).toEqual([429, false, []]);
    },
  );

  it('to a silent server ends at its deadline, and may land', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const client = new NodeClient();
    const ports = {
      call: client.call.bind(client),
      ...{ crashSites: { reach: () => undefined }, clock: new SimulatedClock(0), chance: () => 0 },
      ...{ pause: () => Promise.resolve(), elapsedMs: () => performance.now() },
    };
    const end = await callNode(ports, { ...OPTIONS, attempts: 2 }, `127.0.0.1:${String(port)}`, {
      method: 'GET',
      path: '/',
    });
    client.close();
    server.close();

    expect(sockets.length).toBeGreaterThan(0);
    expect(end).toEqual({ cause: 'no answer within 50 ms', mayLand: true });
  });
});

describe('the description of an answer', () => {
  const headers = new Headers();

  it.each<[unknown, string]>([
    [{ message: 'Bad', detail: 'Worse' }, 'it answered 400, "Bad"'],
    [{ detail: 'Worse' }, 'it answered 400, "Worse"'],
    [{ message: 7 }, 'it answered 400'],
    [null, 'it answered 400'],
    ['text', 'it answered 400'],
    [undefined, 'it answered 400'],
  ])('given %j, is: %s', (body, expected) => {
    expect(saidBy({ status: 400, headers, body })).toBe(expected);
  });
});
