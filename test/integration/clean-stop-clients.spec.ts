import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from '../e2e/support/client.js';
import { startReplica } from '../e2e/support/shared-replica.js';
import { StandInApp } from '../e2e/support/stand-in-app.js';
import { ActingPrimary } from '../support/acting-primary.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { StartProcess } from '../support/start-process.js';

/** Two seconds are promised; a machine that is busy with other tests may take longer, and far less than any client would. */
const GONE_WITHIN_MS = 8_000;
const TEST_TIMEOUT_MS = 120_000;
const CUSTOMER = { name: 'Ada', email: 'ada@example.org' };
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };

/** What clients do with a connection that keeps a server from ending. */
const HABITS: Readonly<Record<string, string>> = {
  'never used': '',
  'idle after an answer': 'GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n',
  'half a head': 'GET /health/live HTTP/1.1\r\nhost: 127.0',
  'half a body':
    'POST /customers HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{',
  'half a chunk': 'POST /customers HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{',
};

let directory: string;
let sockets: Socket[];

beforeEach(() => {
  directory = temporaryDirectory();
  sockets = [];
});

afterEach(() => {
  sockets.forEach((socket) => socket.destroy());
  removeDirectory(directory);
});

/** One connection for each habit, when what they send has arrived. */
async function clingTo(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const opened = Object.values(HABITS).map(async (bytes) => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    sockets.push(socket.resume());
    await new Promise((resolve) => socket.once('connect', resolve));
    if (bytes !== '') socket.write(bytes);
  });
  await Promise.all(opened);
  // Answered after what came before it.
  expect((await new Client(url).get('/health/live')).status).toBe(200);
}

/** Stops the process and expects code 0 within the promised time. */
async function stopAtOnce(process: { stop(): Promise<unknown> }): Promise<void> {
  const before = performance.now();
  expect(await process.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - before).toBeLessThan(GONE_WITHIN_MS);
}

/** Runs `test` on an app whose replicas hold every append back. */
async function withHeldReplicas(test: (cluster: Cluster, client: Client) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start();
  try {
    cluster.replicas.forEach((replica) => {
      replica.hold();
    });
    await test(cluster, new Client(cluster.app.url));
  } finally {
    await cluster.end();
  }
}

describe('a clean stop (SIGTERM) while clients hold idle connections', () => {
  it(
    'given an app, ends it at once and closes the connections',
    async () => {
      const app = await AppProcess.start(directory);
      await clingTo(app.url);
      await stopAtOnce(app);
      await eventually(() => {
        expect(sockets.every(({ closed }) => closed)).toBe(true);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica, ends it at once and closes the connections',
    async () => {
      const replica = await startReplica(directory);
      await clingTo(replica.url);
      await stopAtOnce(replica);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given "npm start", ends it and everything it runs without a kill, also by "npm stop"',
    async () => {
      const port = await freePort();
      const settings = { SEED: 'off', REPLICA_PORTS: String(port) };
      const start = new StartProcess('start', directory, settings);
      await start.prints(/To stop/);
      await clingTo(start.app.url);
      await clingTo(`http://127.0.0.1:${String(port)}`);
      const before = performance.now();
      await new StartProcess('stop', directory, settings).exited;
      const ms = performance.now() - before;
      expect(await start.exited).toEqual({ code: 0, signal: null });
      expect(start.printed).not.toMatch(/kill/i);
      expect(ms).toBeLessThan(GONE_WITHIN_MS);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a clean stop (SIGTERM) during requests that cannot end', () => {
  it(
    'answers a durable write with 202 and its operation, which the next start still knows, and a transaction likewise',
    () =>
      withHeldReplicas(async (cluster, client) => {
        const writes = [client.post('/customers', CUSTOMER), client.post('/books-2pc', BOOK)];
        await eventually(async () => {
          const { text } = await client.get('/metrics');
          expect(text).toMatch(/^http_writes_under_way 2$/m);
          expect((await client.get('/customers')).header('x-total-count')).toBe('1');
          expect((await client.get('/transactions')).json<unknown[]>()).toHaveLength(1);
        });

        await stopAtOnce(cluster.app);
        const [customer, transaction] = await Promise.all(writes);
        expect(customer?.status).toBe(202);
        expect(customer?.json()).toMatchObject({ state: 'committed' });
        expect(transaction?.status).toBe(202);
        expect(transaction?.json()).toMatchObject({ state: 'running' });

        cluster.replicas.forEach((replica) => {
          replica.release();
        });
        await cluster.startApp();
        const later = new Client(cluster.app.url);
        await eventually(async () => {
          const operation = await later.get(customer!.header('location'));
          expect(operation.json()).toMatchObject({ state: 'committed', answer: { status: 201 } });
        });
      }),
    TEST_TIMEOUT_MS,
  );

  it(
    'answers a repeat with an Idempotency-Key with 202 and the operation that it waits for',
    () =>
      withHeldReplicas(async (cluster, client) => {
        const answered = { 'idempotency-key': 'answered' };
        const first = await client.post('/customers', CUSTOMER, { ...answered, 'x-write-concern': 'primary' });
        expect(first.status).toBe(201);
        const waiting = { 'idempotency-key': 'waiting' };
        const [customer, transaction] = [
          client.post('/customers', CUSTOMER, waiting),
          client.post('/books-2pc', BOOK, waiting),
        ];
        await eventually(async () => {
          expect((await client.get('/customers')).header('x-total-count')).toBe('2');
          expect((await client.get('/transactions')).json<unknown[]>()).toHaveLength(1);
        });
        const repeats = [
          client.post('/customers', CUSTOMER, answered),
          client.post('/customers', CUSTOMER, waiting),
          client.post('/books-2pc', BOOK, waiting),
        ];
        await eventually(async () => {
          expect((await client.get('/metrics')).text).toMatch(/^http_writes_under_way 5$/m);
        });

        expect(await cluster.app.stop()).toEqual({ code: 0, signal: null });
        const firsts = [first, await customer, await transaction];
        const told = (await Promise.all(repeats)).map((repeat) => [
          repeat.status,
          repeat.json<{ state?: string }>().state,
          repeat.header('x-operation-id'),
          repeat.header('idempotency-replayed'),
        ]);
        const operations = firsts.map((one) => one.header('x-operation-id'));
        expect(told).toEqual([
          [202, 'committed', operations[0], 'true'],
          [202, 'committed', operations[1], 'true'],
          [202, 'running', operations[2], 'true'],
        ]);
      }),
    TEST_TIMEOUT_MS,
  );

  it(
    'on a replica, answers a waiting read with 503, and a write whose primary is silent with 504 and its key',
    async () => {
      const primaryApp = await StandInApp.start();
      primaryApp.answer = () => undefined;
      const replica = await startReplica(directory, {
        ...{ READ_WAIT_MS: '100000', WRITE_DEADLINE_MS: '90000', CHECKOUT_TIMEOUT_MS: '100000' },
      });
      const primary = new ActingPrimary(replica.url);
      primary.url = primaryApp.url;
      await primary.ship();
      const client = new Client(replica.url);
      const read = client.get('/customers?min_seq=1.99');
      const write = client.post('/customers', CUSTOMER, { 'idempotency-key': 'mine' });
      await eventually(() => {
        expect(primaryApp.received).toHaveLength(1);
      });

      await stopAtOnce(replica);
      expect((await read).problem(503).code).toBe('shutting-down');
      expect((await write).problem(504).code).toBe('outcome-unknown');
      expect((await write).header('idempotency-key')).toBe('mine');
      primary.link.close();
      await primaryApp.stop();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'answers requests that arrived whole before it, and closes the connections',
    async () => {
      const app = await AppProcess.start(directory);
      const { hostname, port } = new URL(app.url);
      const body = JSON.stringify(BOOK);
      const head = `POST /books HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}`;
      const connected = Array.from({ length: 50 }, async () => {
        const socket = connect(Number(port), hostname);
        await new Promise((resolve) => socket.once('connect', resolve));
        return socket;
      });
      sockets = await Promise.all(connected);
      const answers = sockets.map((socket) => text(socket));
      await Promise.all(
        sockets.map((socket) => new Promise((resolve) => socket.write(`${head}\r\n\r\n${body}`, resolve))),
      );
      expect(await app.stop()).toEqual({ code: 0, signal: null });
      for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 201 Created/);
    },
    TEST_TIMEOUT_MS,
  );
});
