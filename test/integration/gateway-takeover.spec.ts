import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { Client } from '../e2e/support/client.js';
import { BOOK } from '../e2e/support/resources.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { audit, AuditedClient } from '../support/audited-client.js';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { rounds } from '../support/long-form.js';
import { RecordedShop, type RecordingClient } from '../support/recorded-shop.js';
import type { ServerProcess } from '../support/server-process.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy, writeUntil } from '../support/shop-load.js';
import { StandbyProcess } from '../support/standby-process.js';

const TAKEOVERS = Number(process.env['GATEWAY_TAKEOVERS'] ?? rounds(2, 5));
const WRITERS = 12;
const RECORDING = 8;
const SHARED_RESOURCES = 6;
const ACKNOWLEDGED_BETWEEN = 60;
const OPEN_CONNECTIONS = 4_000;
/** However slow the machine is, the next start is over before the hold ends, and no connection is unused for too long. */
const PATIENT = {
  ...{ CHECKOUT_TIMEOUT_MS: '15000', GATEWAY_HOLD_MS: '95000' },
  ...{ HEADERS_TIMEOUT_MS: '600000', REQUEST_TIMEOUT_MS: '900000', LOG_LEVEL: 'silent' },
};
const TEST_TIMEOUT_MS = 900_000;

let directory: string;
let app: ServerProcess;
let gateway: GatewayProcess;

beforeEach(async () => {
  directory = temporaryDirectory();
  app = await AppProcess.start(directory, PATIENT);
  gateway = await GatewayProcess.start(directory, PATIENT);
});

afterEach(async () => {
  await gateway.kill();
  await app.kill();
  removeDirectory(directory);
});

/** A standby waits, the active app dies, and the standby takes over. */
async function takeOver(): Promise<void> {
  const standby = await StandbyProcess.start(directory, PATIENT);
  await app.kill();
  app = standby;
  await standby.promoted();
}

async function startAgain(): Promise<void> {
  await app.kill();
  app = await AppProcess.start(directory, PATIENT);
}

/** Reads and writes what it shares with others, without keys of its own. */
async function readAndWrite(client: RecordingClient, ids: readonly number[], seed: number, isOver: () => boolean) {
  const random = new SeededRandom(seed);
  while (!isOver()) {
    const id = ids[random.below(ids.length)]!;
    const dice = random.below(10);
    if (dice < 4) await client.replace(id);
    else if (dice < 8) await client.read(id);
    else await client.readPage(ids, 100);
  }
}

describe('a gateway before an app that is killed under load', () => {
  it.each([
    ['the standby takes over', takeOver],
    ['the app is started again', startAgain],
  ])(
    `${String(TAKEOVERS)} times, and %s: no client sees an error, no acknowledged write is lost, none is done twice, and reads and writes are linearizable`,
    async (_, replaceApp) => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const writers = Array.from({ length: WRITERS }, (_, index) => {
        const collection = index % 2 === 0 ? 'books' : 'customers';
        return new AuditedClient(`w${String(index)}`, collection, new SeededRandom(seed + index));
      });
      const shop = new ShopClient(gateway.url);
      const shops = (['books', 'customers'] as const).map((collection) => new RecordedShop(collection));
      const creators = shops.map((one) => one.client('creator', gateway.url));
      let isOver = false;
      const writing = writeUntil(writers, shop, () => isOver);
      const recording = shops.map(async (recorded, index) => {
        const ids: number[] = [];
        for (let n = 0; n < SHARED_RESOURCES; n += 1) ids.push(await creators[index]!.create());
        const clients = Array.from({ length: RECORDING / 2 }, (_, n) => recorded.client(`r${String(n)}`, gateway.url));
        await Promise.all(clients.map((client, n) => readAndWrite(client, ids, seed + n, () => isOver)));
        return ids;
      });
      for (let takeover = 1; takeover <= TAKEOVERS; takeover += 1) {
        const enough = acknowledgedBy(writers) + ACKNOWLEDGED_BETWEEN;
        await eventually(() => expect(acknowledgedBy(writers)).toBeGreaterThan(enough), { withinMs: 120_000 });
        await replaceApp();
      }
      isOver = true;
      await writing;
      const shared = await Promise.all(recording);

      const stored = await shop.stored();
      for (const [index, ids] of shared.entries()) {
        const collection = (['books', 'customers'] as const)[index]!;
        const others = new Map([...stored[collection]].filter(([id]) => !ids.includes(id)));
        Object.assign(stored, { [collection]: others });
      }
      const unanswered = writers
        .filter(({ open, refused }) => open !== undefined || refused > 0)
        .map(({ name }) => name);
      expect({ seed, unanswered, refusals: shop.refusals }).toEqual({ seed, unanswered: [], refusals: [] });
      expect({ seed, broken: audit(writers, stored) }).toEqual({ seed, broken: [] });
      for (const recorded of shops) {
        expect({ seed, unserved: recorded.unserved, violations: recorded.violations() }).toEqual({
          ...{ seed, unserved: {}, violations: [] },
        });
        await recorded.close();
      }
      await shop.close();
      const metrics = (await new Client(gateway.url).get('/metrics')).text;
      expect(Number(/^gateway_repeated_requests_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    `with ${String(OPEN_CONNECTIONS)} open connections, each of which asks while nobody is active: all are answered`,
    async () => {
      const at = await new Client(gateway.url).add(BOOK.path, BOOK.input);
      const standby = await StandbyProcess.start(directory, PATIENT);
      const { port } = new URL(gateway.url);
      const sockets: Socket[] = [];
      const answers: Promise<string>[] = [];
      while (sockets.length < OPEN_CONNECTIONS) {
        const opened = Array.from({ length: 200 }, () => connect(Number(port), '127.0.0.1'));
        await Promise.all(opened.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
        for (const socket of opened) {
          answers.push(
            new Promise((resolve) => {
              socket.once('data', (chunk: Buffer) => resolve(chunk.toString().split('\r\n')[0] ?? ''));
              socket.once('close', () => resolve('closed'));
            }),
          );
        }
        sockets.push(...opened);
      }
      await app.kill();
      app = standby;
      for (const socket of sockets) socket.write(`GET ${at} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      const kinds = new Set(await Promise.all(answers));
      for (const socket of sockets) socket.destroy();
      expect([...kinds]).toEqual(['HTTP/1.1 200 OK']);
    },
    TEST_TIMEOUT_MS,
  );
});
