import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../../test/support/eventually.js';
import type { AppConnections } from './app-connections.js';
import { Attempt } from './attempt.js';
import type { ClientSide } from './client-side.js';
import { Lane } from './lane.js';

const LONG_BYTES = 1024 * 1024;
const CHUNK_BYTES = 16;
const CHUNKS = 20_000;

let server: Server;
let lane: Lane;

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/long') response.end(Buffer.alloc(LONG_BYTES));
    else if (request.url === '/chunks') {
      for (let chunk = 0; chunk < CHUNKS; chunk += 1) response.write(Buffer.alloc(CHUNK_BYTES));
      response.end();
    } else response.end('short');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lane = new Lane({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, 2, () => 0);
});

afterEach(async () => {
  lane.close();
  await new Promise((resolve) => server.close(resolve).closeAllConnections());
});

/** A client that takes all bytes, and says after each write that it has no room: what it has asked to be told is kept. */
class FullClient {
  readonly asked: (() => void)[] = [];
  bytes = 0;

  begin(): void {
    // It needs no head.
  }

  write(chunk: Buffer, drained?: () => void): boolean {
    this.bytes += chunk.length;
    if (drained !== undefined) this.asked.push(drained);
    return false;
  }

  end(): void {
    // The attempt tells the end itself.
  }
}

interface Sent {
  readonly client: FullClient;
  outcome: 'answered' | 'passed' | 'failed' | undefined;
}

function send(path: string): Sent {
  const sent: Sent = { client: new FullClient(), outcome: undefined };
  const message = { isHead: false, head: `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`, body: undefined };
  const attempt = new Attempt({} as AppConnections, message, sent.client as unknown as ClientSide, {
    isCurrent: () => true,
    sent: () => undefined,
    answerBegins: () => undefined,
    answerEnds: () => (sent.outcome = 'passed'),
    answered: () => (sent.outcome = 'answered'),
    failed: () => (sent.outcome = 'failed'),
  });
  lane.send(attempt);
  return sent;
}

/** Lets the client drain each time that it is full, until the answer has ended, but not after its last write. */
async function passed(sent: Sent): Promise<void> {
  await eventually(() => {
    if (sent.outcome === undefined) for (const drained of sent.client.asked.splice(0)) drained();
    expect(sent.outcome).toBe('passed');
  });
}

describe('a long answer', () => {
  it('whose client has not read the end of it, does not stop the next one on its connection', async () => {
    const first = send('/long');
    await passed(first);
    expect([first.client.bytes, first.client.asked.length]).toEqual([LONG_BYTES, 1]);
    const next = send('/short');
    await eventually(() => {
      expect(next.outcome).toBe('answered');
    });
  });

  it('does not go on when the client of an earlier answer on its connection has room at last', async () => {
    const first = send('/long');
    await passed(first);
    const next = send('/long');
    await eventually(() => {
      expect(next.client.asked).toHaveLength(1);
    });
    const { bytes } = next.client;
    for (const drained of first.client.asked) drained();
    // Bytes that wait on the connection would be read by the time that another one has carried a request and its answer.
    const other = send('/short');
    await eventually(() => {
      expect(other.outcome).toBe('answered');
    });
    expect(next.client.bytes).toBe(bytes);
    await passed(next);
  });

  it('in many small chunks asks a full client once to be told when it has room', async () => {
    const sent = send('/chunks');
    let most = 0;
    await eventually(() => {
      most = Math.max(most, sent.client.asked.length);
      for (const drained of sent.client.asked.splice(0)) drained();
      expect(sent.outcome).toBe('passed');
    });
    expect([most, sent.client.bytes]).toEqual([1, CHUNKS * CHUNK_BYTES]);
  });
});
