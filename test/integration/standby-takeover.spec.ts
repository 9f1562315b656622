import { afterEach, describe, expect, it } from '@jest/globals';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../e2e/support/client.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { AuditedClient } from '../support/audited-client.js';
import { rounds, someOf } from '../support/long-form.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy, auditAfterRestart, writeUntil } from '../support/shop-load.js';
import { StandbyProcess } from '../support/standby-process.js';
import { TwoStoreHistory } from '../support/two-store-history.js';
import { CheckoutHistory } from './checkout-history.js';
import { ShopHistory } from './shop-history.js';

const TEST_TIMEOUT_MS = 300_000;
const CLIENTS = 30;
const TAKEOVERS = rounds(2, 4);
const REPLAYS = 2;
/** Small, so that deaths also meet snapshots and new segments. */
const ENVIRONMENT = { SNAPSHOT_EVERY_BYTES: '40000', LOG_LEVEL: 'silent' };
const MAX_LOG_BYTES = 10 * 2 ** 20;

describe('a takeover', () => {
  const ends: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  const dataDirectory = (): string => {
    const directory = temporaryDirectory();
    ends.push(() => Promise.resolve(removeDirectory(directory)));
    return directory;
  };
  const owned = async <T extends { kill(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const process = await starting;
    ends.push(async () => {
      await process.kill();
    });
    return process;
  };
  const shopClients = (seed: number): AuditedClient[] =>
    Array.from({ length: CLIENTS }, (_, index) => {
      const collection = index % 2 === 0 ? 'books' : 'customers';
      return new AuditedClient(`c${String(index)}`, collection, new SeededRandom(seed + index));
    });
  const writeUntilKilled = async (app: AppProcess, clients: readonly AuditedClient[], count: number): Promise<void> => {
    const shop = new ShopClient(app.url);
    const enough = acknowledgedBy(clients) + count;
    let killed: Promise<unknown> | undefined;
    await writeUntil(clients, shop, () => {
      if (acknowledgedBy(clients) >= enough) killed ??= app.kill();
      return false;
    });
    await killed;
    await shop.close();
  };

  it(
    `${String(TAKEOVERS)} times in a row, each after kill -9 under load: nothing acknowledged is lost, nothing is there twice, and every key has one effect and one answer`,
    async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = new SeededRandom(seed);
      const clients = shopClients(seed);
      const directory = dataDirectory();
      let active: AppProcess = await owned(AppProcess.start(directory, ENVIRONMENT));
      for (let round = 1; round <= TAKEOVERS; round += 1) {
        const standby = await owned(StandbyProcess.start(directory, ENVIRONMENT));
        await writeUntilKilled(active, clients, 1 + random.below(400));
        await standby.promoted();
        active = standby;
        expect({ seed, round, broken: await auditAfterRestart(active, clients, REPLAYS) }).toEqual({
          ...{ seed, round },
          broken: [],
        });
      }
      expect((await new Client(active.url).get('/health/echo')).json()).toMatchObject({ epoch: TAKEOVERS + 1 });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given both processes killed at once under load, loses nothing at the next start',
    async () => {
      const clients = shopClients(7);
      const directory = dataDirectory();
      const active = await owned(AppProcess.start(directory, ENVIRONMENT));
      const standby = await owned(StandbyProcess.start(directory, ENVIRONMENT));
      await Promise.all([writeUntilKilled(active, clients, 200), active.exited.then(() => standby.kill())]);
      const next = await owned(AppProcess.start(directory, ENVIRONMENT));

      expect(await auditAfterRestart(next, clients, REPLAYS)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(['sql.epoch.before', 'sql.epoch.after#2', 'journal.write.before', 'journal.synchronize.after'], 2))(
    'given a standby that dies during it, at %s, leaves the data to the next standby, which loses nothing',
    async (site) => {
      const clients = shopClients(11);
      const directory = dataDirectory();
      const active = await owned(AppProcess.start(directory, ENVIRONMENT));
      const mortal = { ...ENVIRONMENT, FAULTS: '1', CRASH_SITE: site };
      const dying = await owned(StandbyProcess.start(directory, mortal));
      await writeUntilKilled(active, clients, 200);
      expect(await dying.exited).toEqual({ code: null, signal: 'SIGKILL' });
      const next = StandbyProcess.spawn(directory, ENVIRONMENT);
      ends.push(async () => {
        await next.kill();
      });
      await next.promoted();

      expect(await auditAfterRestart(next, clients, REPLAYS)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a write-ahead log at its bound, which a waiting standby does not let grow further, serves all rows',
    async () => {
      const ITEMS = 30_000;
      const directory = dataDirectory();
      const active = await owned(AppProcess.start(directory, ENVIRONMENT));
      const standby = await owned(StandbyProcess.start(directory, ENVIRONMENT));
      const client = new Client(active.url);
      const logBytes = (): number => statSync(join(directory, 'bookstore.db-wal')).size;
      let largest = 0;
      for (let price = 1; price <= 6; price += 1) {
        expect((await client.post(`/stock/batch_init/${String(ITEMS)}/1/${String(price)}`)).status).toBe(200);
        largest = Math.max(largest, logBytes());
      }
      expect(largest).toBeGreaterThan(MAX_LOG_BYTES / 2);
      expect(largest).toBeLessThanOrEqual(MAX_LOG_BYTES);
      await active.kill();
      const after = new Client(await standby.promoted());
      for (const id of [0, ITEMS / 2, ITEMS - 1]) {
        expect((await after.get(`/stock/find/${String(id)}`)).json()).toEqual({ stock: 1, price: 6 });
      }
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(['snapshot.write.after', 'snapshot.rename.after', 'journal.begin-segment.written#2'], 1))(
    'given a death in a snapshot, at %s, keeps every promise',
    async (site) => {
      const history = new ShopHistory(3, 'standby');
      ends.push(() => history.end());

      expect(await history.dieAt(site)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(['2pc.prepare.after#9', '2pc.decide.before#9', '2pc.decide.after#9', '2pc.commit.before#9'], 1))(
    'given a death in a two-phase commit, at %s, keeps every promise',
    async (site) => {
      const history = await TwoStoreHistory.begin(1, { next: 'standby' });
      ends.push(() => history.end());

      expect(await history.dieAt(site)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a death in a two-phase commit over four replicas, opens on them and keeps every promise',
    async () => {
      const history = await TwoStoreHistory.begin(1, { next: 'standby', replicas: 4 });
      ends.push(() => history.end());

      expect(await history.dieAt('2pc.decide.after#9')).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(['saga.start.after#4', 'saga.step.before#9', 'saga.step.after#9', 'saga.note.after#9'], 1))(
    'given a death in a checkout, at %s, ends every saga as its client was told, and all adds up',
    async (site) => {
      const history = new CheckoutHistory(new SeededRandom(5), 'standby');
      ends.push(() => history.end());
      await history.begin();

      expect(await history.dieAt(site, 60)).toEqual({ code: null, signal: 'SIGKILL', when: 'under load' });
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
