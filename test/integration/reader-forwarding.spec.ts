import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, newKey } from '../e2e/support/client.js';
import { BOOK } from '../e2e/support/resources.js';
import { StandInApp } from '../e2e/support/stand-in-app.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReaderProcess } from '../support/reader-process.js';

let directory: string;
let dataDirectory: string;
let app: AppProcess | undefined;
let readers: ReaderProcess[];

beforeEach(() => {
  directory = temporaryDirectory();
  dataDirectory = join(directory, 'data');
  mkdirSync(dataDirectory);
  readers = [];
});

afterEach(async () => {
  for (const reader of readers) await reader.kill();
  await app?.kill();
  app = undefined;
  removeDirectory(directory);
});

async function startApp(): Promise<void> {
  app = await AppProcess.start(dataDirectory);
}

async function startReader(environment: Readonly<Record<string, string>> = {}): Promise<ReaderProcess> {
  const reader = await ReaderProcess.start(dataDirectory, environment);
  readers.push(reader);
  return reader;
}

describe('a reader of an app that does not answer', () => {
  it('waits longer for a checkout than for other writes', async () => {
    await startApp();
    const standIn = await StandInApp.start();
    try {
      let answerCheckout: () => void = () => undefined;
      standIn.answer = (request, response) => {
        if (request.url === '/orders/checkout/1') answerCheckout = () => response.writeHead(200).end('{}');
      };
      const deadlines = { REPLICA_TIMEOUT_MS: '50', PREPARE_DEADLINE_MS: '100', WRITE_DEADLINE_MS: '200' };
      const reader = await startReader({ APP_ADDRESSES: new URL(standIn.url).host, ...deadlines });
      const client = new Client(reader.url);
      const checkout = client.post('/orders/checkout/1');
      await eventually(() => expect(standIn.received).toHaveLength(1));

      (await client.post(BOOK.path, BOOK.input)).problem(504);
      answerCheckout();
      expect((await checkout).status).toBe(200);
    } finally {
      await standIn.stop();
    }
  });

  it('answers a write 504 with the key to ask with, marked as its own unless the client sent one', async () => {
    await startApp();
    const standIn = await StandInApp.start();
    try {
      standIn.answer = (_request, response) => response.destroy();
      const reader = await startReader({ APP_ADDRESSES: new URL(standIn.url).host });
      const client = new Client(reader.url);
      const unknown = await client.post(BOOK.path, BOOK.input);
      const [received] = standIn.received;
      expect(unknown.problem(504).detail).toContain(String(received?.headers['idempotency-key']));
      expect(unknown.header('idempotency-key')).toBe(received?.headers['idempotency-key']);
      expect(received?.headers['x-key-added']).toMatch(/^Bearer /);
      const key = newKey();
      (await client.post(BOOK.path, BOOK.input, { 'idempotency-key': key, 'x-forwarded-for': '203.0.113.7' })).problem(
        504,
      );
      const { headers } = standIn.received.at(-1)!;
      expect([headers['idempotency-key'], headers['x-key-added'], headers['x-forwarded-for']]).toEqual([
        key,
        undefined,
        '127.0.0.1',
      ]);
      (await client.get('/customers')).problem(503);
    } finally {
      await standIn.stop();
    }
  });

  it('never sends a write to the app of another installation', async () => {
    const other = join(directory, 'other');
    mkdirSync(other);
    await startApp();
    const reader = new Client((await startReader()).url);
    await reader.add(BOOK.path, BOOK.input);
    await app?.kill();
    const { port, host } = new URL(app!.url);
    const stranger = await AppProcess.start(other, { PORT: port });
    try {
      const addressed = new Client((await startReader({ APP_ADDRESSES: host })).url);
      const refusals = [(await reader.post(BOOK.path, BOOK.input)).problem(503)];
      // Even a note of a process that lives.
      copyFileSync(join(other, 'app.json'), join(dataDirectory, 'app.json'));
      refusals.push((await reader.post(BOOK.path, BOOK.input)).problem(503));
      refusals.push((await addressed.post(BOOK.path, BOOK.input)).problem(503));
      expect(refusals.map(({ code }) => code)).toEqual(['not-ready', 'not-ready', 'not-ready']);
      expect(refusals.map(({ detail }) => /start it|another cluster secret/.exec(detail)?.[0])).toEqual([
        ...['start it', 'another cluster secret', 'another cluster secret'],
      ]);
      expect((await new Client(stranger.url).get('/books')).json()).toEqual([]);
    } finally {
      await stranger.kill();
    }
  });

  it('asks the addresses in turn until one is reached', async () => {
    await startApp();
    const reader = await startReader({ APP_ADDRESSES: `127.0.0.1:1,${new URL(app!.url).host}` });
    expect((await new Client(reader.url).post(BOOK.path, BOOK.input)).status).toBe(201);
  });
});
