import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TransactionShop } from '../support/transaction-shop.js';
import { TwoStoreHistory } from '../support/two-store-history.js';

const TEST_TIMEOUT_MS = 120_000;
/** No snapshot while a test runs, so that all its transactions are among those that must agree at a start. */
const SETTINGS = { SNAPSHOT_EVERY_BYTES: '1000000000' };
const IDS = /[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g;

interface Recovered {
  readonly committed: readonly string[];
  readonly aborted: readonly string[];
  readonly unmatched: readonly string[];
}

describe('the app with one store that is an older copy or lost', () => {
  let history: TwoStoreHistory;

  beforeEach(async () => {
    history = await TwoStoreHistory.begin(1, { clients: 4, settings: SETTINGS });
  });

  afterEach(async () => {
    await history.end();
  });

  const live = async (): Promise<TransactionShop> => {
    await history.live();
    return new TransactionShop(history.cluster.app.url);
  };
  /** A incarnation that does `count` requests at least. */
  const work = async (count: number): Promise<void> => {
    const shop = await live();
    const enough = history.doneCount + count;
    await history.load(history.cluster.app, shop, () => history.doneCount >= enough);
    await shop.close();
  };
  /** Moves all of the database away, as it was left by `kill -9`. Puts it back when the returned function is called. */
  const takeDatabaseAway = (): (() => void) => {
    const files = ['', '-wal', '-shm', '.commits'].map((ending) => `${history.sqlFile}${ending}`);
    const there = files.filter((file) => existsSync(file));
    for (const file of there) renameSync(file, `${file}.away`);
    return () => {
      for (const file of files) rmSync(file, { force: true });
      for (const file of there) renameSync(`${file}.away`, file);
    };
  };
  /** What it says when it does not start. */
  const refusal = async (): Promise<string> => {
    const app = history.cluster.spawnApp();
    expect(await app.exited).toEqual({ code: 1, signal: null });
    expect(app.printed).toMatch(/^recovery-needed: /);
    return app.printed;
  };
  const listed = async (shop: TransactionShop, state: string): Promise<readonly string[]> => {
    const found = await shop.read<readonly { readonly id: string }[]>(`/transactions?state=${state}`);
    return found.map(({ id }) => id);
  };

  it(
    'given an older copy of bookstore.db, refuses to start and lists the missing transactions; with the right one, starts whole',
    async () => {
      await work(5);
      await history.cluster.app.stop();
      const older = `${history.sqlFile}.older`;
      for (const beside of ['', '.commits']) copyFileSync(`${history.sqlFile}${beside}`, `${older}${beside}`);
      const before = history.transactionsTold();
      await work(5);
      await history.cluster.app.kill();
      const putBack = takeDatabaseAway();
      for (const beside of ['', '.commits']) copyFileSync(`${older}${beside}`, `${history.sqlFile}${beside}`);

      const printed = await refusal();

      const lacking = history.transactionsTold().filter((id) => !before.includes(id));
      expect(lacking.length).toBeGreaterThan(0);
      expect(printed.match(IDS)).toEqual(expect.arrayContaining(lacking));
      expect(before.filter((id) => printed.includes(id))).toEqual([]);
      putBack();
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given no bookstore.db and transactions that the documents have committed, refuses to start and lists them; with it, starts whole',
    async () => {
      await work(5);
      await history.cluster.app.kill();
      const putBack = takeDatabaseAway();

      const printed = await refusal();

      expect(printed.match(IDS)).toEqual(expect.arrayContaining(history.transactionsTold()));
      putBack();
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given no bookstore.db and prepared transactions, leaves them to an operator and never presumes them aborted',
    async () => {
      expect(await history.dieAt('2pc.decide.before')).toMatchObject({ when: 'under load' });
      takeDatabaseAway();
      const shop = await live();
      const promised = await listed(shop, 'unmatched');
      expect(promised.length).toBeGreaterThan(0);

      const report = await shop.ask<Recovered>('/transactions/recover');
      expect(report).toMatchObject({ committed: [], aborted: [] });
      expect([...report.unmatched].sort()).toEqual(promised);
      expect(await listed(shop, 'unmatched')).toEqual(promised);

      const [first = ''] = promised;
      const decision = { decision: 'abort', reason: 'the database is lost' };
      expect(await shop.ask(`/transactions/${first}/resolve`, decision)).toMatchObject({ id: first, state: 'aborted' });
      expect(await listed(shop, 'unmatched')).toEqual(promised.slice(1));
      await shop.close();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given no documents or witness of their end, and committed transactions to complete, refuses to start and lists them; with the documents, starts whole',
    async () => {
      expect(await history.dieAt('2pc.commit.before')).toMatchObject({ when: 'under load' });
      const documents = join(history.cluster.dataDirectory, 'documents');
      const away = [documents, `${documents}.end`];
      for (const path of away) renameSync(path, `${path}.away`);

      const printed = await refusal();

      expect(printed.match(IDS)?.length).toBeGreaterThan(0);
      for (const path of away) {
        rmSync(path, { recursive: true, force: true });
        renameSync(`${path}.away`, path);
      }
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
