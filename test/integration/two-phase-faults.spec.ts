import { afterEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { SmallDisk } from '../support/small-disk.js';
import { holdWriteLock, makeReadOnly, makeWritable } from '../support/sql-file.js';
import { TransactionShop } from '../support/transaction-shop.js';
import { type HistoryOptions, TwoStoreHistory } from '../support/two-store-history.js';

const TEST_TIMEOUT_MS = 180_000;
const REPLICAS = 4;
const AT_ONCE = 200;
const DISK_BYTES = 8 * 1024 * 1024;
/** All of them need the replicas, and no client chooses an id, so that nothing but a fault is a reason to refuse. */
const REPLICATED = { 'book and bump': 80, customer: 20 };
/** Short, so that they are over while a fault lasts; recovery looks for transactions in doubt all the time. */
const SHORT_DEADLINES = {
  ...{ REPLICA_TIMEOUT_MS: '500', PREPARE_DEADLINE_MS: '1000', WRITE_DEADLINE_MS: '2000' },
  ...{ IN_DOUBT_AFTER_MS: '200', LOG_LEVEL: 'silent' },
};

describe('writes to both stores', () => {
  let history: TwoStoreHistory;
  let shop: TransactionShop;
  let disks: SmallDisk[] = [];

  const begin = async (options: HistoryOptions): Promise<void> => {
    history = await TwoStoreHistory.begin(1, options);
  };
  const live = async (): Promise<void> => {
    await history.live();
    shop = new TransactionShop(history.cluster.app.url);
  };

  afterEach(async () => {
    await shop.close();
    await history.cluster.app.kill();
    for (const disk of disks.reverse()) disk.unmount();
    disks = [];
    await history.end();
  });

  const loadUntil = (isOver: () => boolean): Promise<void> => history.load(history.cluster.app, shop, isOver);
  const doMore = (count: number): Promise<void> => {
    const enough = history.doneCount + count;
    return loadUntil(() => history.doneCount >= enough);
  };
  const refuseMore = (count: number): Promise<void> => {
    const enough = history.refusedCount + count;
    return loadUntil(() => history.refusedCount >= enough);
  };
  const restart = async (): Promise<void> => {
    await shop.close();
    await live();
  };
  const codes = (): readonly unknown[] => [...new Set(shop.refusals.map(({ code }) => code))];

  it(
    `given ${String(AT_ONCE)} at once, are ${String(AT_ONCE)} books and ${String(AT_ONCE)} + 1 orders for a customer on all five nodes`,
    async () => {
      await begin({ clients: AT_ONCE, replicas: REPLICAS });
      await live();
      await history.createProbe(history.cluster.app, shop);
      await Promise.all(history.clients.map((client) => client.write(shop.send, 'book and bump')));

      expect([...shop.statuses]).toEqual([[201, AT_ONCE + 1]]);
      expect(await history.broken()).toEqual([]);
      for (const { url } of [history.cluster.app, ...history.cluster.replicas]) {
        const node = new TransactionShop(url);
        const counts = [...(await node.node()).customers.values()].map(({ ordersCount }) => ordersCount);
        await node.close();
        expect(counts).toEqual([AT_ONCE]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given two of four replicas killed, are done or refused; given three killed, are refused; refused writes leave nothing',
    async () => {
      await begin({ replicas: REPLICAS, mix: REPLICATED });
      await live();
      await doMore(50);
      const [first, second, third] = history.cluster.replicas;
      const killed = Promise.all([first?.kill(), second?.kill()]);
      await doMore(150);
      await killed;
      expect([...shop.statuses.keys()].filter((status) => status !== 201 && status !== 503)).toEqual([]);

      await third?.kill();
      await history.cluster.settled(1);
      const before = history.doneCount;
      await refuseMore(100);
      expect(history.doneCount).toBe(before);
      expect([...shop.statuses.keys()].filter((status) => status !== 201 && status !== 503)).toEqual([]);
      expect(codes()).toEqual(['too-few-replicas']);

      await history.cluster.revive();
      await history.cluster.settled();
      await doMore(50);
      expect(await history.broken()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica that hangs, go on without it; given three that hang, are refused after the prepare, and are whole when the replicas continue',
    async () => {
      await begin({ replicas: REPLICAS, settings: SHORT_DEADLINES });
      await live();
      await doMore(50);
      const [first, second, third] = history.cluster.replicas;
      first?.hold();
      await doMore(50);
      second?.hold();
      third?.hold();
      await refuseMore(60);
      for (const replica of history.cluster.replicas) replica.release();
      await history.cluster.settled();
      await doMore(50);

      expect(await history.broken()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given another program that locks the SQL database beyond every deadline, are refused, and are whole once it unlocks the database',
    async () => {
      await begin({ settings: SHORT_DEADLINES });
      await live();
      await doMore(50);
      const letGo = holdWriteLock(history.sqlFile);
      await refuseMore(200);
      expect(codes()).toContain('storage-busy');
      letGo();
      await doMore(50);

      expect(await history.broken()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a read-only SQL file, are refused with nothing half-done, even after kill -9 and a start on a writable file',
    async () => {
      await begin({ settings: SHORT_DEADLINES });
      await live();
      await doMore(50);
      makeReadOnly(history.sqlFile);
      await refuseMore(100);
      expect(codes()).toContain('storage-read-only');
      expect(await history.broken()).toEqual([]);
      await history.cluster.app.kill();
      makeWritable(history.sqlFile);
      await restart();
      expect(await history.broken()).toEqual([]);
      await doMore(50);

      expect(await history.broken()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each<[full: string, other: string]>([
    ['the journal', 'the SQL database'],
    ['the SQL database', 'the journal'],
  ])(
    'given a full disk of %s but not of %s, are refused with nothing half-done, then whole once there is room, and after kill -9 without room',
    async (full) => {
      await begin({ settings: SHORT_DEADLINES });
      const isMounted = mountOrSayWhy();
      await live();
      if (!isMounted) return;
      await doMore(50);
      const disk = disks[full === 'the journal' ? 1 : 0]!;
      disk.fill();
      await refuseMore(100);
      expect(codes()).toEqual(['storage-full']);
      expect(await history.broken()).toEqual([]);
      disk.free();
      await doMore(50);
      expect(await history.broken()).toEqual([]);

      disk.fill();
      await refuseMore(100);
      await history.cluster.app.kill();
      disk.free();
      await restart();
      expect(await history.broken()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  /** The SQL database and the journal on a disk of their own each. */
  function mountOrSayWhy(): boolean {
    const { dataDirectory } = history.cluster;
    try {
      disks = [dataDirectory, join(dataDirectory, 'documents')].map((path) => SmallDisk.mount(DISK_BYTES, path));
      return true;
    } catch (error) {
      if (process.env['CI'] !== undefined) throw error;
      process.stderr.write(
        `\n\n!!! NOT TESTED: a full disk, as this machine lets us mount none: ${String(error)}\n\n\n`,
      );
      return false;
    }
  }
});
