import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { eventually } from '../../../test/support/eventually.js';
import { type AdmissionOptions, OPEN_TO_THIS_MACHINE } from './admission.js';
import { prepareBody, type PreparedBody, sendPrepared } from './answers.js';
import { createHttpServer } from './http-server.js';
import { answerProblems } from './problem-answers.js';
import type { AnsweredRequest } from './repeated-reads.js';

const PATH = '/things?limit=1';

interface World {
  readonly server: FastifyInstance;
  readonly url: string;
  /** The requests that Fastify saw. */
  seen: number;
  /** What memory holds. */
  stored: PreparedBody | undefined;
  readonly observed: (AnsweredRequest & { readonly status: number })[];
}

let running: FastifyInstance | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function worldOf(options: Partial<AdmissionOptions> = {}): Promise<World> {
  const logger = pino({ level: 'silent' });
  let ids = 0;
  const server = createHttpServer({
    ...OPEN_TO_THIS_MACHINE,
    ...{ headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 },
    newRequestId: () => `id-${String((ids += 1))}`,
    logger,
    ...options,
  });
  running = server;
  const world: World = {
    server,
    url: '',
    seen: 0,
    stored: prepareBody('["one"]', ['X-Total-Count', '1']),
    observed: [],
  };
  server.addHook('onRequest', (_request, _reply, done) => {
    world.seen += 1;
    done();
  });
  answerProblems(server, logger);
  const observeAnswer = (request: AnsweredRequest, status: number): void => {
    world.observed.push({ ...request, status });
  };
  server.get('/things', { config: { observeAnswer } }, (request, reply) => {
    const read = { value: world.stored ?? prepareBody('["loaded"]', []), source: world.stored ? 'memory' : 'miss' };
    return sendPrepared(request, reply, read, () => () => world.stored);
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return Object.assign(world, { url });
}

/** Learns the read, and forgets what Fastify saw meanwhile. */
async function learned(options?: Partial<AdmissionOptions>): Promise<World> {
  const world = await worldOf(options);
  await (await fetch(world.url + PATH)).text();
  world.seen = 0;
  return world;
}

/** The status of the answer to these lines. */
async function statusOf({ server }: World, lines: readonly string[]): Promise<number> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(chunk.toString().split(' ')[1]);
}

describe('a read that was answered from memory before', () => {
  it('is answered without Fastify, like the first time but for its request id', async () => {
    const world = await worldOf();
    const first = await fetch(world.url + PATH);
    const again = await fetch(world.url + PATH);
    const headersOf = ({ headers }: Response): unknown =>
      [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name));
    expect(headersOf(again)).toEqual(headersOf(first));
    expect(await again.text()).toBe(await first.text());
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(world.seen).toBe(1);
  });

  it('is told to metrics and log', async () => {
    const world = await learned();
    const { headers } = await fetch(world.url + PATH);
    const id = headers.get('x-request-id');
    expect(world.observed).toEqual([{ id, caller: 'anonymous', method: 'GET', url: PATH, status: 200 }]);
  });

  it('is answered with what memory holds now', async () => {
    const world = await learned();
    world.stored = prepareBody('["two"]', []);
    expect(await (await fetch(world.url + PATH)).text()).toBe('["two"]');
    expect(world.seen).toBe(0);
  });

  it('takes the ordinary way when memory holds it no longer, or its reading throws', async () => {
    const world = await learned();
    world.stored = undefined;
    expect(await (await fetch(world.url + PATH)).text()).toBe('["loaded"]');
    Object.defineProperty(world, 'stored', {
      get: () => {
        throw new Error('the database is gone');
      },
    });
    expect((await fetch(world.url + PATH)).status).toBe(500);
    expect(world.seen).toBe(2);
  });

  it('takes the ordinary way while the server stops', async () => {
    const world = await learned();
    const socket = connect((world.server.server.address() as AddressInfo).port, '127.0.0.1');
    const [served] = (await once(world.server.server, 'connection')) as [Socket];
    // A request whose head has begun to arrive keeps its connection when the server closes the idle ones.
    socket.write(`GET ${PATH} HTTP/1.1\r\n`);
    await eventually(() => expect(served.bytesRead).toBeGreaterThan(0));
    const closed = world.server.close();
    socket.write('Host: localhost\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/connection: close/i);
    await closed;
  });

  it.each([
    ['If-None-Match', '"other"', 200],
    ['If-Match', '"other"', 412],
    ['X-Request-Id', 'mine', 200],
    ['X-Api-Key', 'k', 200],
    ['Authorization', 'Bearer k', 200],
    ['Origin', 'http://localhost', 200],
    ['Content-Length', '0', 200],
    ['USER-agent', 'unusual spelling', 200],
  ])('takes the ordinary way with %s', async (name, value, status) => {
    const world = await learned();
    expect(await statusOf(world, [`GET ${PATH} HTTP/1.1`, 'Host: localhost', `${name}: ${value}`])).toBe(status);
    expect(world.seen).toBe(1);
  });

  it.each([
    ['another method', [`HEAD ${PATH} HTTP/1.1`, 'Host: localhost'], 200],
    ['an older version', [`GET ${PATH} HTTP/1.0`], 200],
    ['another query', ['GET /things?limit=2 HTTP/1.1', 'Host: localhost'], 200],
  ])('takes the ordinary way with %s', async (_what, lines, status) => {
    const world = await learned();
    expect(await statusOf(world, lines)).toBe(status);
    expect(world.seen).toBe(1);
  });

  it.each([
    ['a host that is not served', ['Host: evil.example'], 421],
    ['two hosts', ['Host: localhost', 'Host: localhost'], 400],
    ['no host', [], 400],
    ['a wrong proof of the cluster', ['Host: localhost', 'X-Cluster-Authorization: wrong'], 421],
  ])('is refused like any other with %s', async (_what, headers, status) => {
    expect(await statusOf(await learned(), [`GET ${PATH} HTTP/1.1`, ...headers])).toBe(status);
  });
});

it.each([
  ['a limit', { requestsPerMinute: 1_000 }],
  ['origins', { corsOrigins: new Set(['http://a.example']) }],
] as const)('given %s, a server answers no read without Fastify', async (_what, options) => {
  const world = await learned(options);
  expect((await fetch(world.url + PATH)).status).toBe(200);
  expect(world.seen).toBe(1);
});

it('given keys, a server asks for one with each read', async () => {
  const key = { name: 'ann', role: 'read', key: 'r'.repeat(16) } as const;
  const world = await worldOf({ apiKeys: [key] });
  expect((await fetch(world.url + PATH, { headers: { 'x-api-key': key.key } })).status).toBe(200);
  expect((await fetch(world.url + PATH)).status).toBe(401);
});
