import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { eventually } from '../../../test/support/eventually.js';
import type { AppSocket, Sending } from './app-socket.js';
import { Lane } from './lane.js';

let server: Server;
let port: number;
let lane: Lane;
let now: number;
/** Requests that have arrived and have no answer. */
let open: { readonly url: string; readonly body: Buffer; readonly response: ServerResponse }[];
let connections: Set<Socket>;
let made: number;

const MAX_CONNECTIONS = 2;

class Recorded implements Sending {
  isWanted = true;
  socket: AppSocket | undefined;
  status: number | undefined;
  text = '';
  ended = '';
  readonly message;

  constructor(path: string, body?: Buffer) {
    const length = body === undefined ? '' : `content-length: ${String(body.length)}\r\n`;
    const method = body === undefined ? 'GET' : 'POST';
    this.message = { isHead: false, head: `${method} ${path} HTTP/1.1\r\nhost: a\r\n${length}\r\n`, body };
    lane.send(this);
  }

  onSent(socket: AppSocket): void {
    this.socket = socket;
  }

  onHead({ status }: { readonly status: number }): void {
    this.status = status;
  }

  onData(bytes: Buffer): void {
    this.text += bytes.toString();
  }

  onEnd(): void {
    this.ended += 'answered';
  }

  onError(error: Error): void {
    this.ended += error.message;
  }
}

beforeEach(async () => {
  open = [];
  connections = new Set();
  made = 0;
  now = 0;
  server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => open.push({ url: request.url ?? '', body: Buffer.concat(chunks), response }));
  });
  server.on('connection', (socket) => {
    made += 1;
    connections.add(socket.on('close', () => connections.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  lane = new Lane({ host: '127.0.0.1', port }, MAX_CONNECTIONS, () => now);
});

afterEach(async () => {
  lane.close();
  await new Promise((resolve) => server.close(resolve).closeAllConnections());
});

const arrived = (...urls: readonly string[]): Promise<void> =>
  eventually(() => {
    expect(open.map(({ url }) => url).toSorted()).toEqual(urls.toSorted());
  });
const answer = (url: string): void => {
  const index = open.findIndex((each) => each.url === url);
  open.splice(index, 1)[0]?.response.end(`answer to ${url}`);
};
const ended = async (sending: Recorded): Promise<string> =>
  eventually(() => (expect(sending.ended).not.toBe(''), sending.ended));

describe('a lane', () => {
  it('given more requests than connections, lets the others wait, sends them in order, and skips what nobody wants', async () => {
    const [first, , third, fourth] = ['/1', '/2', '/3', '/4'].map((path) => new Recorded(path));
    await arrived('/1', '/2');
    third!.isWanted = false;
    answer('/1');
    expect(await ended(first!)).toBe('answered');
    expect([first!.status, first!.text]).toEqual([200, 'answer to /1']);
    await arrived('/2', '/4');
    answer('/4');
    await ended(fourth!);
    new Recorded('/5');
    await arrived('/2', '/5');
    expect([third!.socket, made]).toEqual([undefined, MAX_CONNECTIONS]);
  });

  it('sends a body of any size', async () => {
    for (const size of [1, 16 * 1024, 1024 * 1024]) {
      const body = Buffer.alloc(size, 'b');
      new Recorded('/', body);
      await arrived('/');
      expect(open[0]?.body.equals(body)).toBe(true);
      answer('/');
    }
  });

  it('given a connection that breaks, tells the request that was on it, and sends the next one on a new one', async () => {
    const [first, second, third] = ['/1', '/2', '/3'].map((path) => new Recorded(path));
    await arrived('/1', '/2');
    open.find(({ url }) => url === '/1')?.response.destroy();
    expect(await ended(first!)).not.toBe('answered');
    await arrived('/1', '/2', '/3');
    answer('/3');
    expect(await ended(third!)).toBe('answered');
    expect(second!.ended).toBe('');
  });

  it('given an abort, ends the connection and tells nothing', async () => {
    const first = new Recorded('/1');
    await arrived('/1');
    first.socket?.abort(first);
    await eventually(() => {
      expect(connections.size).toBe(0);
    });
    expect(first.ended).toBe('');
    first.socket?.abort(first);
  });

  it('given an answer that ends the connection, sends the next request on a new one', async () => {
    const first = new Recorded('/1');
    await arrived('/1');
    open[0]?.response.setHeader('connection', 'close');
    answer('/1');
    await ended(first);
    const second = new Recorded('/2');
    await arrived('/2');
    answer('/2');
    expect(await ended(second)).toBe('answered');
    expect(made).toBe(2);
  });

  it('given bytes after an answer, does not take them for the next one', async () => {
    const [first, other, waiting] = ['/1', '/2', '/3'].map((path) => new Recorded(path));
    await arrived('/1', '/2');
    const [broken] = open.splice(
      open.findIndex(({ url }) => url === '/1'),
      1,
    );
    const more = 'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n';
    broken?.response.socket?.write(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx${more}`);
    expect(await ended(first!)).toBe('answered');
    await arrived('/2', '/3');
    answer('/3');
    expect(await ended(waiting!)).toBe('answered');
    expect([waiting!.status, other!.ended]).toEqual([200, '']);
  });

  it('given a program that does not listen, says so', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await ended(new Recorded('/'))).toContain('ECONNREFUSED');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  it('ends connections that nothing has used for long, and keeps those in use', async () => {
    const first = new Recorded('/1');
    new Recorded('/2');
    await arrived('/1', '/2');
    answer('/1');
    await ended(first);
    now = 30_001;
    lane.endIdle(30_000);
    await eventually(() => {
      expect(connections.size).toBe(1);
    });
    expect(open.map(({ url }) => url)).toEqual(['/2']);
  });

  it('when closed, tells all that is under way or waits, and what comes later', async () => {
    const all = ['/1', '/2', '/3'].map((path) => new Recorded(path));
    await arrived('/1', '/2');
    lane.close();
    for (const each of [...all, new Recorded('/4')]) expect(each.ended).not.toMatch(/^$|answered/);
    await eventually(() => {
      expect(connections.size).toBe(0);
    });
  });
});
