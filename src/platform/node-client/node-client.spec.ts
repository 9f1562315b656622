import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Agent } from 'node:http';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { eventually } from '../../../test/support/eventually.js';
import { isAppError } from '../../kernel/index.js';
import { type NodeCall, NodeClient } from './node-client.js';

const PATIENT_MS = 20_000;
const SHORT_MS = 50;
const REPEATABLE: NodeCall = { method: 'POST', path: '/append', body: 'abc', isRepeatable: true };
const ONCE: NodeCall = { ...REPEATABLE, isRepeatable: false };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

let server: Server;
let origin: string;
let client: NodeClient;
/** In the order in which they came, and what came over each. */
let connections: { readonly socket: Socket; received: string }[];
/** Called for each request, when the last byte of its body is there. */
let answer: (socket: Socket, connection: number) => void;
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

beforeEach(async () => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
  connections = [];
  answer = (socket) => socket.write(OK);
  server = createServer((socket) => {
    const connection = { socket, received: '' };
    connections.push(connection);
    const index = connections.length - 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      connection.received += chunk.toString('latin1');
      if (isWhole(connection.received)) {
        connection.received = '';
        answer(socket, index);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  client = new NodeClient();
});

/** No test leaves a connection or a rejection behind. */
afterEach(async () => {
  client.close();
  await eventually(() => {
    expect(connections.every(({ socket }) => socket.destroyed || socket.readableEnded)).toBe(true);
  });
  for (const { socket } of connections) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** A call after which its connection is kept. */
async function callFirst(): Promise<void> {
  await client.call(origin, REPEATABLE, PATIENT_MS);
  await new Promise((resolve) => setImmediate(resolve));
}

function isWhole(received: string): boolean {
  const [head = '', body] = received.split('\r\n\r\n');
  return body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (!isAppError(error)) throw error;
    expect(error.message).not.toContain('\n');
    return `${error.code} (${error.retry}): ${error.message}`;
  }
  throw new Error('it was not refused');
}

describe('a call to a node', () => {
  it('given an answer, returns status, headers and bytes, and the next call uses the same connection', async () => {
    answer = (socket) => socket.write('HTTP/1.1 404 No\r\nX-Some: a\r\ncontent-length: 6\r\n\r\n<html>');
    await callFirst();
    const { status, headers, body } = await client.call(origin, REPEATABLE, PATIENT_MS);
    expect([status, headers['x-some'], body.toString()]).toEqual([404, 'a', '<html>']);
    expect(connections.length).toBe(1);
  });

  it('given a redirect, does not follow it', async () => {
    answer = (socket) => socket.write(`HTTP/1.1 308 Go\r\nlocation: ${origin}/b\r\ncontent-length: 0\r\n\r\n`);
    const { status, headers } = await client.call(origin, REPEATABLE, PATIENT_MS);
    expect([status, headers.location]).toEqual([308, `${origin}/b`]);
  });

  it('given an informational answer first, returns the last one', async () => {
    answer = (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`);
    expect((await client.call(origin, REPEATABLE, PATIENT_MS)).status).toBe(200);
  });

  it('given a large body and a large answer, transfers both whole', async () => {
    const body = Buffer.alloc(8_000_000, 'xyz');
    answer = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${String(body.length)}\r\n\r\n`);
      socket.write(body);
    };
    expect((await client.call(origin, { ...REPEATABLE, body }, PATIENT_MS)).body.equals(body)).toBe(true);
  });

  it('given an answer longer than allowed, is aborted', async () => {
    const strict = new NodeClient({ maxAnswerBytes: 1 });
    expect(await refusalOf(strict.call(origin, REPEATABLE, PATIENT_MS))).toMatch(/^outcome-unknown \(unknown\)/);
    strict.close();
  });

  it('given a port where nothing listens, was not sent', async () => {
    const gone = origin;
    await new Promise((resolve) => server.close(resolve));
    expect(await refusalOf(client.call(gone, ONCE, PATIENT_MS))).toBe(
      'not-ready (safe): connection refused: nothing is listening there',
    );
  });

  it('given a host without an address, was not sent', async () => {
    expect(await refusalOf(client.call('http://nowhere.invalid:1', ONCE, PATIENT_MS))).toMatch(
      /^not-ready \(safe\): no connection/,
    );
  });

  it('given a request that HTTP cannot express, was not sent', async () => {
    expect(await refusalOf(client.call(origin, { ...ONCE, path: 'a b' }, PATIENT_MS))).toMatch(/^not-ready \(safe\)/);
  });
});

describe('the deadline of a call', () => {
  it('given no answer, ends the call and its connection', async () => {
    answer = () => undefined;
    expect(await refusalOf(client.call(origin, REPEATABLE, SHORT_MS))).toBe(
      'outcome-unknown (unknown): no answer within 50 ms',
    );
    answer = (socket, connection) => {
      if (connection > 0) socket.write(OK);
    };
    expect((await client.call(origin, REPEATABLE, PATIENT_MS)).status).toBe(200);
    await eventually(() => {
      expect(connections[0]?.socket.destroyed).toBe(true);
    });
  });

  it('given an answer that does not end, ends the call', async () => {
    answer = (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok');
    expect(await refusalOf(client.call(origin, REPEATABLE, SHORT_MS))).toMatch(/no answer within 50 ms$/);
  });

  it('counts from the first sending', async () => {
    await callFirst();
    answer = (socket, connection) => {
      if (connection === 0) socket.destroy();
    };
    expect(await refusalOf(client.call(origin, REPEATABLE, SHORT_MS))).toMatch(/no answer within \d+ ms$/);
    expect(connections.length).toBe(2);
  });
});

describe('a node that never completes a connection', () => {
  /** Like a host behind a firewall that drops packets, or one whose backlog is full. */
  const neverConnect = (): void => {
    jest
      .spyOn(Agent.prototype, 'createConnection')
      .mockImplementation(() => Object.assign(new Socket(), { connecting: true }));
  };

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a call', () => client.call(origin, REPEATABLE, SHORT_MS)],
    ['a stream', () => client.stream(origin, { method: 'GET', path: '/' }, SHORT_MS)],
  ])('ends %s at its deadline, and nothing was sent', async (_, call) => {
    neverConnect();
    expect(await refusalOf(call())).toBe('not-ready (safe): no connection within 50 ms');
  });

  it('leaves it open whether a call has arrived that a kept connection has broken', async () => {
    await callFirst();
    answer = (socket) => {
      neverConnect();
      socket.destroy();
    };
    expect(await refusalOf(client.call(origin, REPEATABLE, SHORT_MS))).toMatch(
      /^outcome-unknown \(unknown\): the connection broke, and a new one failed: no connection within \d+ ms$/,
    );
  });
});

describe('a kept-alive connection that closes as the next call is sent', () => {
  beforeEach(callFirst);

  it.each(['end', 'resetAndDestroy'] as const)('given %s, is replaced once', async (close) => {
    answer = (socket, connection) => {
      if (connection === 0) socket[close]();
      else socket.write(OK);
    };
    expect((await client.call(origin, REPEATABLE, PATIENT_MS)).status).toBe(200);
    expect(connections.length).toBe(2);
  });

  it('given a call that must not be repeated, is not replaced', async () => {
    answer = (socket) => socket.destroy();
    expect(await refusalOf(client.call(origin, ONCE, PATIENT_MS))).toMatch(
      /^outcome-unknown \(unknown\): the connection broke/,
    );
    expect(connections.length).toBe(1);
  });

  it('is replaced only once, although others are kept alive', async () => {
    const held: Socket[] = [];
    answer = (socket) => {
      held.push(socket);
      if (held.length === 3) for (const each of held) each.write(OK);
    };
    await Promise.all([1, 2, 3].map(() => client.call(origin, REPEATABLE, PATIENT_MS)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(connections.length).toBe(3);
    answer = (socket, connection) => {
      if (connection < 3) socket.destroy();
      else socket.write(OK);
    };
    expect((await client.call(origin, REPEATABLE, PATIENT_MS)).status).toBe(200);
    expect(connections.length).toBe(4);
  });

  it('is not replaced twice', async () => {
    answer = (socket) => socket.destroy();
    expect(await refusalOf(client.call(origin, REPEATABLE, PATIENT_MS))).toMatch(/^outcome-unknown/);
    expect(connections.length).toBe(2);
  });

  it('given no node behind it any more, leaves open whether the call arrived', async () => {
    answer = (socket) => {
      server.close();
      socket.destroy();
    };
    expect(await refusalOf(client.call(origin, REPEATABLE, PATIENT_MS))).toMatch(
      /^outcome-unknown \(unknown\): the connection broke, and a new one failed: connection refused/,
    );
  });

  it('after one byte of an answer, is not replaced', async () => {
    answer = (socket) => socket.write('H', () => socket.destroy());
    expect(await refusalOf(client.call(origin, REPEATABLE, PATIENT_MS))).toMatch(/^outcome-unknown/);
    expect(connections.length).toBe(1);
  });

  it('within an answer, is not replaced', async () => {
    answer = (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok', () => socket.destroy());
    expect(await refusalOf(client.call(origin, REPEATABLE, PATIENT_MS))).toMatch(/^outcome-unknown/);
    expect(connections.length).toBe(1);
  });
});

it('given a first connection that breaks, is not replaced', async () => {
  answer = (socket) => socket.destroy();
  expect(await refusalOf(client.call(origin, REPEATABLE, PATIENT_MS))).toMatch(/^outcome-unknown/);
  expect(connections.length).toBe(1);
});

describe('a closed client', () => {
  it('aborts calls in progress at once without a repeat, and sends no more', async () => {
    await callFirst();
    let asked = 0;
    answer = () => {
      asked += 1;
      if (asked === 3) client.close();
    };
    const calls = [1, 2, 3].map(() => refusalOf(client.call(origin, REPEATABLE, PATIENT_MS)));
    for (const refusal of await Promise.all(calls)) expect(refusal).toMatch(/^outcome-unknown \(unknown\)/);
    expect(await refusalOf(client.call(origin, REPEATABLE, PATIENT_MS))).toBe(
      'not-ready (safe): this client is closed',
    );
    expect(asked).toBe(3);
  });

  it('aborts a call that has no connection yet', async () => {
    const refusal = refusalOf(client.call(origin, REPEATABLE, PATIENT_MS));
    client.close();
    expect(await refusal).toMatch(/^not-ready \(safe\)/);
  });

  it('aborts a stream in progress', async () => {
    answer = (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok');
    const { chunks } = await client.stream(origin, { method: 'GET', path: '/' }, PATIENT_MS);
    client.close();
    await expect(buffer(chunks)).rejects.toMatchObject({ code: 'outcome-unknown' });
  });
});

describe('a stream', () => {
  it('returns an answer as it arrives, at the speed of its reader', async () => {
    const size = 32_000_000;
    answer = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${String(size)}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    };
    const { status, chunks } = await client.stream(origin, { method: 'GET', path: '/' }, PATIENT_MS);
    let received = 0;
    for await (const chunk of chunks) {
      if (received === 0) expect(connections[0]?.socket.writableLength).toBeGreaterThan(0);
      received += chunk.length;
    }
    expect([status, received]).toEqual([200, size]);
  });

  it('is never sent twice', async () => {
    await callFirst();
    answer = (socket) => socket.destroy();
    expect(await refusalOf(client.stream(origin, { method: 'GET', path: '/' }, PATIENT_MS))).toMatch(
      /^outcome-unknown/,
    );
    expect(connections.length).toBe(1);
  });

  it('given a reader that leaves, is aborted', async () => {
    answer = (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok');
    const { chunks } = await client.stream(origin, { method: 'GET', path: '/' }, PATIENT_MS);
    for await (const chunk of chunks) {
      expect(chunk.toString()).toBe('ok');
      break;
    }
    await eventually(() => {
      expect(connections[0]?.socket.destroyed).toBe(true);
    });
  });
});
