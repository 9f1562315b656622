import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { judge } from '../fuzz/fuzz-judge.js';
import { fuzzRequest } from '../fuzz/fuzz-requests.js';
import { FuzzTarget } from '../fuzz/fuzz-target.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { Client, newKey } from './support/client.js';
import { endpointsOf, fetchOpenApi } from './support/openapi.js';
import { BOOK } from './support/resources.js';

const ORIGIN = 'http://shop.example';
const ENVIRONMENT = { SEED: 'on', CORS_ORIGINS: ORIGIN, READ_WAIT_MS: '20', CHECKOUT_TIMEOUT_MS: '1000' };
const OF_ONE_ANSWER = [
  'connection',
  'keep-alive',
  'x-request-id',
  'date',
  'x-cache',
  'x-operation-id',
  'etag',
  'location',
  'x-commit',
];
const LONGER_THAN_ALLOWED = ' '.repeat(1_100_000);
const FUZZ_SEED = 1;
const FUZZ_REQUESTS = 1_000;

let directory: string;
let app: AppProcess;
let gateway: GatewayProcess;
let atApp: Client;
let client: Client;

beforeAll(async () => {
  directory = temporaryDirectory();
  app = await AppProcess.start(directory, ENVIRONMENT);
  gateway = await GatewayProcess.start(directory, ENVIRONMENT);
  [atApp, client] = [new Client(app.url), new Client(gateway.url)];
  await eventually(async () => expect((await client.get('/health/ready')).status).toBe(200));
});

afterAll(async () => {
  await gateway.kill();
  await app.kill();
  removeDirectory(directory);
});

/** Status, headers and body, without what belongs to one answer or one connection alone. */
async function answerOf(url: string, path: string, init: RequestInit): Promise<unknown> {
  const answer = await fetch(url + path, init);
  const headers = [...answer.headers].filter(([name]) => !OF_ONE_ANSWER.includes(name)).toSorted();
  return { path, status: answer.status, headers, body: (await answer.text()).replaceAll(/"id":\d+/g, '') };
}

const json = { 'content-type': 'application/json' };
const body = JSON.stringify(BOOK.input);

describe('a gateway before an app', () => {
  it.each<[string, RequestInit?]>([
    ['/books'],
    ['/books/'],
    ['/books?limit=1'],
    ['/books//'],
    ['/books/x'],
    ['/books/99'],
    ['/books?limi=1'],
    ['/customers'],
    ['/nothing'],
    ['/docs-json'],
    ['/docs'],
    ['/health/nothing'],
    ['/metrics/nothing'],
    ['/ids'],
    ['/books', { method: 'HEAD' }],
    ['/books/1', { method: 'HEAD' }],
    ['/nothing', { method: 'HEAD' }],
    ['/books', { method: 'OPTIONS' }],
    ['/books', { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } }],
    ['/books', { method: 'PATCH' }],
    ['/books/', { method: 'DELETE' }],
    ['/books', { headers: { origin: ORIGIN } }],
    ['/books', { method: 'POST', body: '{' }],
    ['/books', { method: 'POST', body: '{', headers: json }],
    ['/books', { method: 'POST', headers: json }],
    ['/books', { method: 'POST', headers: { 'content-type': 'application/octet-stream' } }],
    ['/books', { method: 'POST', body, headers: { 'content-type': 'text/plain' } }],
    ['/books', { method: 'POST', body, headers: { ...json, origin: 'http://evil.example' } }],
    ['/books', { method: 'POST', body, headers: { ...json, 'idempotency-key': '' } }],
    ['/books', { method: 'POST', body, headers: json }],
    ['/books', { method: 'POST', body: LONGER_THAN_ALLOWED, headers: json }],
    ['/books/1', { headers: { 'if-match': '"other"' } }],
    ['/orders/checkout/no-order', { method: 'POST' }],
  ])('answers %s as the app does (row %#)', async (path, init = {}) => {
    expect(await answerOf(gateway.url, path, init)).toEqual(await answerOf(app.url, path, init));
  });

  it('answers 304 and 204 without a body, and a chunked body like any other', async () => {
    const etag = (await client.get('/books/1')).header('etag');
    expect((await client.get('/books/1', { 'if-none-match': etag })).status).toBe(304);
    const at = await client.add(BOOK.path, BOOK.input);
    expect((await client.delete(at)).status).toBe(204);
    const chunked = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from(body));
        controller.close();
      },
    });
    expect((await client.send('POST', '/books', { headers: json, body: chunked })).status).toBe(201);
  });

  it('says what it is, is ready with the app that it found, counts requests, and has links that work', async () => {
    const { links } = (await client.get('/')).json<{ links: Record<string, string> }>();
    for (const link of Object.values(links)) expect([link, (await client.get(link)).status]).toEqual([link, 200]);
    expect((await client.get('/health/ready')).json()).toEqual({
      status: 'ok',
      details: { app: { status: 'up', url: app.url, epoch: expect.any(Number) } },
    });
    expect((await client.get('/health/echo')).json()).toEqual({
      ...{ pid: gateway.pid, role: 'gateway', state: 'open', epoch: null },
    });
    const metrics = (await client.get('/metrics')).text;
    expect(metrics).toMatch(/^gateway_app_active 1$/m);
    expect(metrics).toMatch(/^gateway_request_duration_seconds_count\{method="GET",status="200"\} \d+$/m);
  });

  it('takes over a request id, and makes one for a request without', async () => {
    const id = newKey();
    expect((await client.get('/books', { 'x-request-id': id })).header('x-request-id')).toBe(id);
    const made = (await client.get('/nothing')).header('x-request-id');
    expect(made).toMatch(/^[\w-]{8,}$/);
  });

  it('repeats nothing that the client repeats with its key, and refuses the key with another body', async () => {
    const key = { 'idempotency-key': newKey() };
    const first = await client.post('/books', BOOK.input, key);
    const again = await client.post('/books', BOOK.input, key);
    expect([again.text, again.header('idempotency-replayed')]).toEqual([first.text, 'true']);
    expect((await atApp.post('/books', BOOK.input, key)).text).toBe(first.text);
    (await client.post('/books', BOOK.changed, key)).problem(422);
  });

  it('refuses a foreign Host, a proof of another installation, and repeated headers, as the app does', async () => {
    (await client.get('/books', { 'x-cluster-authorization': 'Bearer of-another' })).problem(421);
    const target = new FuzzTarget(gateway.url, gateway.pid);
    const send = async (path: string, headers: string[]): Promise<number> =>
      (await target.send({ method: 'GET', target: path, headers, body: undefined })).status;
    expect(await send('http://evil.example/books', [])).toBe(421);
    expect(await send('http://127.0.0.1/books', [])).toBe(200);
    const twice = ['x-request-id', 'a', 'x-request-id', 'b'];
    expect(await send('/books', twice)).toBe(400);
    target.close();
  });

  it('drops headers that belong to the connection or that only a gateway may send', async () => {
    const sent = request(`${gateway.url}/books`, {
      method: 'POST',
      headers: {
        ...{ ...json, connection: 'close, x-of-the-connection', 'x-of-the-connection': '1', te: 'trailers' },
        ...{ 'x-key-added': 'Bearer forged', 'x-request-counted': '1', 'x-forwarded-for': '203.0.113.7' },
        ...{ upgrade: 'websocket', expect: '100-continue' },
      },
    });
    sent.end(body);
    const status = await new Promise((resolve, reject) => {
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(201);
  });

  it('gets odd requests, and answers none with an error that is not known', async () => {
    const document = await fetchOpenApi(atApp);
    const endpoints = endpointsOf(document);
    const target = new FuzzTarget(gateway.url, gateway.pid);
    const faults: string[] = [];
    for (let number = 0; number < FUZZ_REQUESTS; number += 1) {
      const odd = fuzzRequest(document, endpoints, FUZZ_SEED, number);
      const answer = await target.send(odd);
      const fault = judge({ ...odd, isOfEndpoint: false }, answer);
      const isFault = fault !== undefined && (answer.status >= 500 || !fault.startsWith('a status'));
      if (isFault) faults.push(`${String(number)} ${odd.method} ${odd.target.slice(0, 200)}: ${fault} ${answer.text}`);
    }
    target.close();
    expect(faults).toEqual([]);
    expect((await client.get('/books')).status).toBe(200);
  });
});

describe('a gateway before an app with keys and a limit', () => {
  it('leaves both to the app, which counts each caller by the address that the gateway saw', async () => {
    const other = temporaryDirectory();
    const keys = {
      API_KEYS: 'a:read:key-of-16-characters,b:write:key-that-may-write',
      ...{ RATE_LIMIT: '20', LOG_LEVEL: 'silent' },
    };
    const limited = await AppProcess.start(other, keys);
    const before = await GatewayProcess.start(other, keys);
    try {
      const anonymous = new Client(before.url);
      const reading = anonymous.with({ 'x-api-key': 'key-of-16-characters' });
      await eventually(async () => expect((await reading.get('/health/ready')).status).toBe(200));
      expect((await anonymous.get('/health/live')).status).toBe(200);
      (await anonymous.get('/metrics')).problem(401);
      (await anonymous.get('/books')).problem(401);
      (await reading.post('/books', BOOK.input)).problem(403);
      const statuses: number[] = [];
      for (let n = 0; n < 20; n += 1) {
        const forged = { 'x-forwarded-for': `203.0.113.${String(n)}`, 'x-request-counted': '1' };
        statuses.push((await reading.get('/books', forged)).status);
      }
      expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
    } finally {
      await before.kill();
      await limited.kill();
      removeDirectory(other);
    }
  });
});
