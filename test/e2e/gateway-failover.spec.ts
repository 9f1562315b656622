import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { eventually } from '../support/eventually.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { Client, newKey } from './support/client.js';
import { sendJson, sendRefusal, StandInActive } from './support/stand-in-active.js';

const SECRET = 'a-secret-of-the-installation';
/** Short, for tests that wait for the end of a hold. */
const SHORT_HOLD = {
  ...{ REPLICA_TIMEOUT_MS: '50', PREPARE_DEADLINE_MS: '60', WRITE_DEADLINE_MS: '70' },
  ...{ GATEWAY_HOLD_MS: '300', CHECKOUT_TIMEOUT_MS: '100' },
};
const BODY = { title: 'Kindred' };
const HELD_BYTES = 256 * 1024;

let directory: string;
let first: StandInActive;
let second: StandInActive;
let gateway: GatewayProcess;
let client: Client;

beforeEach(async () => {
  directory = temporaryDirectory();
  first = await StandInActive.start('first', 1);
  second = await StandInActive.start('second', 1);
  second.becomes({ role: 'standby', state: 'waiting', epoch: null });
});

afterEach(async () => {
  await gateway.kill();
  await Promise.all([first.stop(), second.stop()]);
  removeDirectory(directory);
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  gateway = await GatewayProcess.start(directory, {
    ...{ CLUSTER_SECRET: SECRET, APP_ADDRESSES: `${first.address},${second.address}` },
    ...environment,
  });
  client = new Client(gateway.url);
  const isReady = first.echo?.state === 'open' ? 200 : 503;
  await eventually(async () => expect((await client.get('/health/ready')).status).toBe(isReady));
}

/** The first one dies, and the second one takes over. */
function takeOver(): void {
  first.echo = undefined;
  second.becomes({ role: 'active', state: 'open', epoch: 2 });
}

const by = (stand: StandInActive): unknown => ({ by: stand.name });
const held = async (count: number): Promise<void> => {
  await eventually(async () =>
    expect((await client.get('/metrics')).text).toMatch(new RegExp(`^gateway_held_requests ${String(count)}$`, 'm')),
  );
};

describe('a gateway before an app process that dies', () => {
  it('sends the write once more to the next one, with the same key and body, and the client sees one answer', async () => {
    await start();
    first.answer = (_request, response) => {
      takeOver();
      response.destroy();
    };
    expect((await client.post('/books', BODY)).json()).toEqual(by(second));
    const [lost, repeated] = [...first.received, ...second.received];
    expect(lost?.headers['idempotency-key']).toMatch(/^[\da-f-]{36}$/);
    expect(lost?.headers['x-key-added']).toMatch(/^Bearer /);
    expect([repeated?.url, repeated?.body]).toEqual([lost?.url, lost?.body]);
    const { host: _host, ...headers } = lost!.headers;
    expect(repeated?.headers).toMatchObject(headers);
    const key = newKey();
    await client.put('/books/1', BODY, { 'idempotency-key': key });
    const { headers: own } = second.received.at(-1)!;
    expect([own['idempotency-key'], own['x-key-added']]).toEqual([key, undefined]);
  });

  it('asks the next one when the process dies in the middle of an answer of up to 256 KiB', async () => {
    await start();
    first.answer = (_request, response) => {
      takeOver();
      response.writeHead(200, { 'content-length': HELD_BYTES }).write('half of it');
      setImmediate(() => response.destroy());
    };
    const whole = 'x'.repeat(HELD_BYTES);
    second.answer = (_request, response) => {
      response.writeHead(200, { 'x-request-id': '1' }).end(whole);
    };
    expect((await client.get('/books')).text).toBe(whole);
  });

  it('passes on a longer answer and an event stream as they come, and cuts the client off when one breaks', async () => {
    await start();
    const part = 'x'.repeat(HELD_BYTES + 1);
    first.answer = ({ url }, response) => {
      if (url === '/stream') response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      else response.writeHead(200).write(part);
      setImmediate(() => {
        if (url !== '/stream') response.destroy();
      });
    };
    await expect(fetch(`${gateway.url}/long`).then((answer) => answer.text())).rejects.toThrow();
    const stream = await fetch(`${gateway.url}/stream`);
    const reader = stream.body!.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: 1\n\n');
    await reader.cancel();
    expect(first.received.map(({ url }) => url)).toEqual(['/long', '/stream']);
  });

  it.each([
    ['not-ready', 503],
    ['shutting-down', 503],
    ['superseded', 503],
    ['outcome-unknown', 504],
  ])('takes %s from a process that is no longer active for a reason to wait', async (code, status) => {
    await start();
    first.answer = (_request, response) => {
      takeOver();
      sendRefusal(response, status, code);
    };
    expect((await client.post('/books', BODY)).json()).toEqual(by(second));
  });

  it.each([
    ['not-ready', 503],
    ['too-few-replicas', 503],
    ['storage-full', 503],
    ['outcome-unknown', 504],
  ])('passes %s of an active process on', async (code, status) => {
    await start();
    first.answer = (_request, response) => sendRefusal(response, status, code);
    expect((await client.post('/books', BODY)).problem(status).code).toBe(code);
    expect(first.received).toHaveLength(1);
  });

  it('holds requests while the next one is opening, and then sends each once', async () => {
    first.echo = undefined;
    await start();
    const answers = Promise.all(Array.from({ length: 300 }, (_, n) => client.put(`/books/${String(n)}`, BODY)));
    second.becomes({ role: 'active', state: 'opening', epoch: null });
    await held(300);
    second.becomes({ state: 'open', epoch: 2 });
    expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(second.received.map(({ url }) => url)).size).toBe(second.received.length);
    expect(second.received).toHaveLength(300);
  });

  it('leaves an old active for one of a higher epoch, and repeats what the old one has', async () => {
    await start();
    first.answer = () => second.becomes({ role: 'active', state: 'open', epoch: 2 });
    expect((await client.post('/books', BODY)).json()).toEqual(by(second));
    expect((await client.get('/books')).json()).toEqual(by(second));
  });

  it('does not use an app of another installation', async () => {
    first.answer = (_request, response) => sendRefusal(response, 421, 'misdirected');
    await start(SHORT_HOLD);
    expect((await client.post('/books', BODY)).problem(503).code).toBe('not-ready');
    expect(first.received).toHaveLength(1);
    second.becomes({ role: 'active', state: 'open', epoch: 1 });
    expect((await client.post('/books', BODY)).json()).toEqual(by(second));
  });

  it('gives up on a process that lives and breaks each connection', async () => {
    await start();
    first.answer = (_request, response) => response.destroy();
    expect((await client.post('/books', BODY)).problem(504).code).toBe('outcome-unknown');
    expect((await client.get('/books')).problem(503).code).toBe('not-ready');
    expect(first.received).toHaveLength(6);
  });
});

describe('the hold of a gateway', () => {
  it('ends with 503 when nobody was active for too long and no process has got the request', async () => {
    first.echo = undefined;
    await start(SHORT_HOLD);
    expect((await client.post('/books', BODY)).problem(503).detail).toContain('nothing was done');
    expect((await client.get('/books')).problem(503).code).toBe('not-ready');
    expect([first.received, second.received]).toEqual([[], []]);
  });

  it('ends with 504 and the key when a process that died has got it', async () => {
    await start(SHORT_HOLD);
    first.answer = (_request, response) => {
      first.echo = undefined;
      response.destroy();
    };
    const unknown = await client.post('/books', BODY);
    const key = String(first.received[0]?.headers['idempotency-key']);
    expect([unknown.problem(504).detail, unknown.header('idempotency-key')]).toEqual([
      expect.stringContaining(key),
      key,
    ]);
  });

  it('does not count while a process is active, however slow that is', async () => {
    await start(SHORT_HOLD);
    first.answer = (_request, response) => {
      setTimeout(() => sendJson(response, 200, { by: 'first' }), 4 * Number(SHORT_HOLD.GATEWAY_HOLD_MS));
    };
    expect((await client.post('/books', BODY)).json()).toEqual(by(first));
  });

  it('sends nothing for a client that is gone by then', async () => {
    first.echo = undefined;
    await start();
    const [gone, waiting] = ['/gone', '/waiting'].map((path) => {
      const sent = request(`${gateway.url}${path}`, { method: 'PUT' });
      sent.on('error', () => undefined);
      sent.end('{}');
      return sent;
    });
    await held(2);
    gone!.destroy();
    await held(1);
    second.becomes({ role: 'active', state: 'open', epoch: 2 });
    await new Promise((resolve) => waiting!.once('response', resolve));
    waiting!.destroy();
    expect(second.received.map(({ url }) => url)).toEqual(['/waiting']);
  });

  it('ends with true answers when the gateway stops', async () => {
    await start();
    first.answer = () => undefined;
    const forwarded = client.post('/books', BODY);
    const read = client.get('/books');
    await eventually(() => expect(first.received).toHaveLength(2));
    const exited = gateway.stop();
    expect((await forwarded).problem(504).code).toBe('outcome-unknown');
    expect((await read).problem(503).code).toBe('shutting-down');
    expect(await exited).toEqual({ code: 0, signal: null });
  });
});

describe('a gateway before a slow process', () => {
  it('lets no read wait for checkouts or writes, and keeps far below 512 connections', async () => {
    await start();
    let isSlow = true;
    const waiting: (() => void)[] = [];
    first.answer = ({ method, url }, response) => {
      const answer = (): void => sendJson(response, 200, { url });
      if (method === 'GET' || !isSlow) answer();
      else waiting.push(answer);
    };
    const slow = Array.from({ length: 600 }, (_, n) =>
      client.post(n % 2 === 0 ? `/orders/checkout/${String(n)}` : '/books', BODY),
    );
    await eventually(() => expect(waiting.length).toBeGreaterThan(150));
    expect((await client.get('/books')).status).toBe(200);
    expect(waiting.length).toBeLessThan(250);
    isSlow = false;
    for (const answer of waiting) answer();
    expect(new Set((await Promise.all(slow)).map(({ status }) => status))).toEqual(new Set([200]));
  });
});
