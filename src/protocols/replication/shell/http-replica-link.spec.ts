import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isAppError } from '../../../kernel/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import {
  EMPTY_REPORT,
  GENESIS_POSITION,
  positionOf,
  primaryOf,
  recordsAfter,
} from '../../../../test/support/replication-world.js';
import type { ReplicaAnswer } from '../messages.js';
import { HttpReplicaLink } from './http-replica-link.js';
import { isAuthorized, replicationAuthorization } from './replication-authorization.js';
import { encodeAnswer, encodePosition, encodeRecords, encodeReport, encodeStateHash, POSITION_HEADER } from './wire.js';

const SECRET = 'a secret of the cluster';
const PATIENT_MS = 20_000;
const SHORT_MS = 50;
const ACCEPTED: ReplicaAnswer = { verdict: 'accepted', report: EMPTY_REPORT };
const APPEND = {
  from: primaryOf(),
  after: GENESIS_POSITION,
  durableSeq: 2,
  records: recordsAfter(GENESIS_POSITION, 1, ['a', 'b']),
  primaryUrl: 'http://127.0.0.1:5050',
  audit: false,
};

let server: Server;
let link: HttpReplicaLink;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const sockets = new Set<Socket>();
let asked: string[] = [];

beforeEach(async () => {
  asked = [];
  sockets.clear();
  server = createServer((request, response) => {
    sockets.add(request.socket);
    asked.push(`${String(request.method)} ${String(request.url)}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  link = new HttpReplicaLink({ host: '127.0.0.1', port }, replicationAuthorization(SECRET));
});

afterEach(async () => {
  link.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Reads the whole request, then answers. */
function answering(body: Buffer | string, status = 200, headers: Readonly<Record<string, string>> = {}): typeof answer {
  return (request, response) => {
    request.resume().on('end', () => response.writeHead(status, headers).end(body));
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (!isAppError(error)) throw error;
    expect(error.message).not.toContain('\n');
    return `${error.code}: ${error.message}`;
  }
  throw new Error('it was not refused');
}

async function* chunksOf(...chunks: readonly string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

describe('a link to a replica that answers', () => {
  it('given messages one after the other, sends them over one connection, authorized by the secret', async () => {
    const authorizations = new Set<string | undefined>();
    answer = (request, response) => {
      authorizations.add(request.headers.authorization);
      answering(encodeAnswer(ACCEPTED))(request, response);
    };
    expect(await link.append(APPEND, PATIENT_MS)).toEqual(ACCEPTED);
    expect(await link.promise({ epoch: 2, primaryId: 'b' }, PATIENT_MS)).toEqual(ACCEPTED);
    expect(await link.quarantine(primaryOf(), PATIENT_MS)).toEqual(ACCEPTED);
    expect(asked).toEqual(['append', 'promise', 'set-aside'].map((name) => `POST /replication/${name}`));
    expect(sockets.size).toBe(1);
    expect([...authorizations].map((given) => isAuthorized(given, replicationAuthorization(SECRET)))).toEqual([true]);
  });

  it('given a request for missing data, returns the refusal', async () => {
    answer = answering('{}', 410);
    expect(await link.records(4, 100, PATIENT_MS)).toBe('gone');
    answer = answering('{}', 404);
    expect(await link.stateHash(4, PATIENT_MS)).toBeUndefined();
    expect(await link.snapshot(PATIENT_MS)).toBeUndefined();
    expect(asked).toEqual([
      'GET /replication/records?after=4&limit-bytes=100',
      'GET /replication/state-hash?seq=4',
      'GET /replication/snapshot',
    ]);
  });

  it('given a request for data, returns it', async () => {
    answer = answering(encodeReport(EMPTY_REPORT));
    expect(await link.report(PATIENT_MS)).toEqual(EMPTY_REPORT);
    answer = answering(encodeRecords(APPEND.records));
    expect(await link.records(0, 100, PATIENT_MS)).toEqual(APPEND.records);
    const at = { position: positionOf(APPEND.records[1]!), stateHash: 'abc' };
    answer = answering(encodeStateHash(at));
    expect(await link.stateHash(undefined, PATIENT_MS)).toEqual(at);
  });

  it('given a snapshot, streams all of it', async () => {
    let received = '';
    answer = (request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.toString()));
      answering(encodeAnswer(ACCEPTED))(request, response);
    };
    const snapshot = { position: positionOf(APPEND.records[1]!), sizeBytes: 9, chunks: chunksOf('abc', 'def', 'ghi') };
    expect(await link.install(primaryOf(), snapshot, PATIENT_MS)).toEqual(ACCEPTED);
    expect(received).toBe('abcdefghi');
  });

  it('given a request for the snapshot, returns position, size and bytes', async () => {
    const position = positionOf(APPEND.records[0]!);
    answer = answering('snapshot', 200, { [POSITION_HEADER]: encodePosition(position), 'content-length': '8' });
    const snapshot = await link.snapshot(PATIENT_MS);
    const chunks: Buffer[] = [];
    for await (const chunk of snapshot!.chunks) chunks.push(chunk);
    expect([snapshot!.position, snapshot!.sizeBytes, Buffer.concat(chunks).toString()]).toEqual([
      position,
      8,
      'snapshot',
    ]);
  });
});

describe('a link to a replica that misbehaves', () => {
  it('given a replica that is not running, reports that nothing is listening', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await refusalOf(link.report(PATIENT_MS))).toMatch(/^not-ready: connection refused/);
  });

  it('given a replica that does not answer, gives up in time and uses another connection afterwards', async () => {
    answer = () => undefined;
    expect(await refusalOf(link.append(APPEND, SHORT_MS))).toBe('outcome-unknown: no answer within 50 ms');
    answer = answering(encodeAnswer(ACCEPTED));
    expect(await link.append(APPEND, PATIENT_MS)).toEqual(ACCEPTED);
    const [first] = sockets;
    await eventually(() => {
      expect(first?.destroyed).toBe(true);
    });
    expect(sockets.size).toBe(2);
  });

  it('given an answer that begins and never ends, gives up in time', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-length': '100' }).write('{');
    expect(await refusalOf(link.append(APPEND, SHORT_MS))).toBe('outcome-unknown: no answer within 50 ms');
  });

  it('given a replica with another secret, reports it', async () => {
    answer = answering('{}', 401);
    expect(await refusalOf(link.report(PATIENT_MS))).toBe('unauthorized: it has another cluster secret');
  });

  it.each([
    [503, JSON.stringify({ detail: 'it is stopping' }), 'not-ready: it answered 503: it is stopping'],
    [500, JSON.stringify({ detail: 'oh' }), 'internal: it answered 500: oh'],
    [404, 'nothing here', 'internal: it answered 404: nothing here'],
    [302, '', 'internal: it answered 302'],
    [200, '<html>', 'malformed-request: the body is not JSON'],
    [200, '{"verdict":"yes"}', 'malformed-request: unknown verdict'],
  ])('given the answer %d with %s, rejects with one line', async (status, body, refusal) => {
    answer = answering(body, status);
    expect(await refusalOf(link.append(APPEND, PATIENT_MS))).toBe(refusal);
  });

  it('given a long answer of many lines, quotes only its beginning, in one line', async () => {
    answer = answering('<html>\n'.repeat(1_000), 500);
    expect((await refusalOf(link.report(PATIENT_MS))).length).toBeLessThan(300);
  });

  it('given a replica that closes the connection without an answer, reports a broken connection', async () => {
    answer = (request) => request.socket.destroy();
    expect(await refusalOf(link.append(APPEND, PATIENT_MS))).toMatch(/^outcome-unknown: the connection broke/);
  });

  it('given a replica that closes the connection within its answer, reports a broken connection', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{', () => request.socket.destroy());
    };
    expect(await refusalOf(link.append(APPEND, PATIENT_MS))).toMatch(/^outcome-unknown: the connection broke/);
  });

  it('given a replica that closes the idle connection as the next message leaves, sends it again over another connection', async () => {
    answer = answering(encodeAnswer(ACCEPTED));
    await link.append(APPEND, PATIENT_MS);
    let isFirst = true;
    answer = (request, response) => {
      if (isFirst) request.socket.destroy();
      else answering(encodeAnswer(ACCEPTED))(request, response);
      isFirst = false;
    };
    expect(await link.append(APPEND, PATIENT_MS)).toEqual(ACCEPTED);
    expect(sockets.size).toBe(2);
  });

  it('given a replica that restarts after each answer, still reaches it', async () => {
    answer = answering(encodeAnswer(ACCEPTED), 200, { connection: 'close' });
    await link.append(APPEND, PATIENT_MS);
    expect(await link.append(APPEND, PATIENT_MS)).toEqual(ACCEPTED);
  });

  it('given a refusal before all of a snapshot was sent, stops sending it', async () => {
    answer = (_request, response) => response.writeHead(200).end(encodeAnswer({ ...ACCEPTED, verdict: 'stale-epoch' }));
    let sent = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(65_536);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const sizeBytes = Number.MAX_SAFE_INTEGER;
    const answered = await link.install(
      primaryOf(),
      { position: GENESIS_POSITION, sizeBytes, chunks: endless() },
      PATIENT_MS,
    );
    expect(answered.verdict).toBe('stale-epoch');
    await eventually(() => {
      expect([...sockets].every((socket) => socket.destroyed)).toBe(true);
    });
    const sentThen = sent;
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBe(sentThen);
  });

  it('given a replica that reads no more of a snapshot, gives up after the timeout without progress', async () => {
    answer = (request) => request.pause();
    const chunks = chunksOf(...Array.from({ length: 200 }, () => 'x'.repeat(65_536)));
    const snapshot = { position: GENESIS_POSITION, sizeBytes: 200 * 65_536, chunks };
    expect(await refusalOf(link.install(primaryOf(), snapshot, SHORT_MS))).toMatch(
      /^outcome-unknown: no answer within/,
    );
  });

  it('given a snapshot that cannot be read, aborts the call', async () => {
    answer = (request) => request.resume();
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('abc');
      throw new Error('the file is gone');
    };
    const snapshot = { position: GENESIS_POSITION, sizeBytes: 9, chunks: failing() };
    expect(await refusalOf(link.install(primaryOf(), snapshot, PATIENT_MS))).toMatch(/the file is gone/);
  });

  it('given a snapshot that is cut short, fails its reader', async () => {
    answer = (request, response) => {
      const headers = { [POSITION_HEADER]: encodePosition(GENESIS_POSITION), 'content-length': '100' };
      response.writeHead(200, headers).write('abc', () => request.socket.destroy());
    };
    const readAll = async (): Promise<void> => {
      const snapshot = await link.snapshot(PATIENT_MS);
      for await (const chunk of snapshot!.chunks) expect(chunk.toString()).toBe('abc');
    };
    expect(await refusalOf(readAll())).toMatch(/^outcome-unknown: the connection broke/);
  });

  it('aborts all calls when it is closed', async () => {
    answer = () => {
      link.close();
    };
    expect(await refusalOf(link.report(PATIENT_MS))).toMatch(/^outcome-unknown: the connection broke/);
  });
});
