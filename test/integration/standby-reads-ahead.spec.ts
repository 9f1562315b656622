import { afterEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../e2e/support/client.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { audit, AuditedClient } from '../support/audited-client.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy, auditAfterRestart, writeUntil } from '../support/shop-load.js';
import { StandbyProcess } from '../support/standby-process.js';

const TEST_TIMEOUT_MS = 300_000;
const CLIENTS = 30;
/** So small that snapshots are taken all the time. */
const MANY_SNAPSHOTS = { SNAPSHOT_EVERY_BYTES: '20000' };

describe('a standby that has read ahead', () => {
  const ends: (() => Promise<unknown>)[] = [];

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
    ends.push(() => process.kill());
    return process;
  };
  const clientsOf = (collections: readonly ('books' | 'customers')[]): AuditedClient[] =>
    Array.from({ length: CLIENTS }, (_, index) => {
      const collection = collections[index % collections.length] ?? 'customers';
      return new AuditedClient(`c${String(index)}`, collection, new SeededRandom(index));
    });
  const tookOver = (standby: StandbyProcess): Promise<void> =>
    eventually(() => {
      expect(standby.printed).toContain('took over in');
    });

  it(
    'given stores that are not empty, takes over with all of them, and reads none of the documents again',
    async () => {
      const directory = dataDirectory();
      const active = await owned(AppProcess.start(directory));
      const clients = clientsOf(['books', 'customers']);
      const write = async (count: number): Promise<void> => {
        const shop = new ShopClient(active.url);
        const enough = acknowledgedBy(clients) + count;
        await writeUntil(clients, shop, () => acknowledgedBy(clients) >= enough);
        await shop.close();
      };
      await write(600);
      const standby = await owned(StandbyProcess.start(directory, { LOG_LEVEL: 'info' }));
      await write(300);
      await active.kill();
      await standby.promoted();
      await tookOver(standby);

      expect(standby.printed).not.toMatch(/read (?:ahead|again)/);
      expect(await auditAfterRestart(standby, clients, 2)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a start of it while the active app takes snapshots under load, takes over and loses nothing',
    async () => {
      const directory = dataDirectory();
      const active = await owned(AppProcess.start(directory, MANY_SNAPSHOTS));
      const clients = clientsOf(['customers']);
      const shop = new ShopClient(active.url);
      let standby: StandbyProcess | undefined;
      const starting = owned(StandbyProcess.start(directory, MANY_SNAPSHOTS)).then((started) => (standby = started));
      let enough = Infinity;
      let killed: Promise<unknown> | undefined;
      await writeUntil(clients, shop, () => {
        if (standby !== undefined) enough = Math.min(enough, acknowledgedBy(clients) + 300);
        if (acknowledgedBy(clients) >= enough) killed ??= active.kill();
        return false;
      });
      await killed;
      await shop.close();
      const next = await starting;
      await next.promoted();

      expect(await auditAfterRestart(next, clients, 2)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica that is catching up when the active app dies, brings it up to date and loses nothing',
    async () => {
      const cluster = await Cluster.start();
      ends.push(() => cluster.end());
      const standby = await cluster.startStandby();
      const clients = clientsOf(['customers']);
      const shop = new ShopClient(cluster.app.url);
      const [behind] = cluster.replicas;
      await behind?.kill();
      const enough = acknowledgedBy(clients) + 500;
      await writeUntil(clients, shop, () => acknowledgedBy(clients) >= enough);
      await shop.close();
      await behind?.start();
      await cluster.app.kill();
      await cluster.takenOverBy(standby);
      await cluster.settled();

      const after = new ShopClient(cluster.app.url);
      expect(audit(clients, await after.stored())).toEqual([]);
      await after.close();
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given an older copy of one file, put in its place while it waits, refuses the takeover',
    async () => {
      const directory = dataDirectory();
      const active = await owned(AppProcess.start(directory));
      const client = new Client(active.url);
      for (const path of ['/stock/batch_init/2/100/5', '/payment/batch_init/2/1000', '/orders/batch_init/3/2/2/5']) {
        expect((await client.post(path)).status).toBe(200);
      }
      const copies = ['payment.db', 'payment.db-wal', 'payment.db.commits'];
      const checkOut = async (order: number): Promise<void> => {
        expect((await client.post(`/orders/checkout/${String(order)}`)).status).toBe(200);
      };
      await checkOut(0);
      for (const name of copies) copyFileSync(join(directory, name), join(directory, `${name}.copy`));
      const standby = StandbyProcess.spawn(directory);
      ends.push(() => standby.kill());
      await standby.ready();
      await checkOut(1);
      await eventually(async () => {
        expect((await fetch(`${standby.url}/health/ready`)).status).toBe(200);
      });
      for (const name of copies) renameSync(join(directory, `${name}.copy`), join(directory, name));
      // It is the index of the log that the copy replaces.
      rmSync(join(directory, 'payment.db-shm'));
      await active.kill();

      expect(await standby.exited).toEqual({ code: 1, signal: null });
      expect(standby.printed).toContain('recovery-needed');
    },
    TEST_TIMEOUT_MS,
  );
});
