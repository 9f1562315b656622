import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
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

describe('the app on stores that are not of one time', () => {
  let history: TwoStoreHistory;

  beforeEach(async () => {
    history = await TwoStoreHistory.begin(1, { settings: SETTINGS });
  });

  afterEach(async () => {
    await history.end();
  });

  const live = async (): Promise<TransactionShop> => {
    await history.live();
    return new TransactionShop(history.cluster.app.url);
  };
  /** A life that does `count` requests at least and is killed. */
  const liveAndDie = async (count: number): Promise<void> => {
    const shop = await live();
    const enough = history.doneCount + count;
    await history.load(history.cluster.app, shop, () => history.doneCount >= enough);
    await shop.close();
    await history.cluster.app.kill();
  };
  const acknowledged = (): readonly string[] => history.transactionsTold().sort();
  const inThe = (directory: string): string => join(history.cluster.dataDirectory, directory);
  const removeDatabase = (): void => {
    for (const ending of ['', '-wal', '-shm']) rmSync(`${history.sqlFile}${ending}`, { force: true });
  };
  /** What it says when it does not start. */
  const refusal = async (): Promise<string> => {
    const app = history.cluster.spawnApp();
    expect(await app.exited).toEqual({ code: 1, signal: null });
    return app.printed;
  };
  const inDoubt = async (
    shop: TransactionShop,
  ): Promise<readonly { readonly id: string; readonly state: string }[]> => {
    const all = await shop.read<readonly { readonly id: string; readonly state: string }[]>('/transactions?limit=1000');
    return all.filter(({ state }) => state === 'unmatched' || state === 'in-doubt');
  };

  it(
    'given an older copy of bookstore.db, refuses to start and lists the transactions that it lacks; with the right one, starts and is whole',
    async () => {
      await liveAndDie(20);
      const shop = await live();
      await shop.close();
      await history.cluster.app.stop();
      const [copy, right] = ['older.db', 'right.db'].map((name) => join(history.cluster.directory, name));
      copyFileSync(history.sqlFile, copy!);
      const before = acknowledged();
      await liveAndDie(12);
      const right2 = await live();
      await right2.close();
      await history.cluster.app.kill();
      renameSync(history.sqlFile, right!);
      for (const ending of ['-wal', '-shm']) renameSync(`${history.sqlFile}${ending}`, `${right!}${ending}`);
      copyFileSync(copy!, history.sqlFile);

      const printed = await refusal();

      const lacking = acknowledged().filter((id) => !before.includes(id));
      expect(lacking.length).toBeGreaterThan(0);
      expect(printed).toMatch(/^recovery-needed: /);
      expect(printed.match(IDS)).toEqual(expect.arrayContaining(lacking));
      removeDatabase();
      for (const ending of ['', '-wal', '-shm']) renameSync(`${right!}${ending}`, `${history.sqlFile}${ending}`);
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given no bookstore.db and transactions that are only promised, leaves them to a person and never presumes that they were aborted',
    async () => {
      expect(await history.dieAt('2pc.decide.before')).toMatchObject({ when: 'under load' });
      removeDatabase();
      const shop = await live();
      const promised = (await inDoubt(shop)).map(({ id }) => id);

      const report = JSON.parse((await shop.post('/transactions/recover', 'recover'))!.body) as Recovered;

      expect(promised.length).toBeGreaterThan(0);
      expect([...report.unmatched].sort()).toEqual([...promised].sort());
      expect([report.committed, report.aborted]).toEqual([[], []]);
      expect(await inDoubt(shop)).toEqual(promised.map((id) => expect.objectContaining({ id, state: 'unmatched' })));
      await shop.close();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given no bookstore.db and transactions that the documents have committed, refuses to start and lists them',
    async () => {
      await liveAndDie(12);
      removeDatabase();

      const printed = await refusal();

      expect(printed).toMatch(/^recovery-needed: /);
      expect(printed.match(IDS)).toEqual(expect.arrayContaining([...acknowledged()]));
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given no documents and transactions that are committed and not carried out, refuses to start and lists them; with the documents, starts and is whole',
    async () => {
      expect(await history.dieAt('2pc.commit.before')).toMatchObject({ when: 'under load' });
      renameSync(inThe('documents'), inThe('elsewhere'));

      const printed = await refusal();

      expect(printed).toMatch(/^recovery-needed: /);
      expect(printed.match(IDS)?.length).toBeGreaterThan(0);
      rmSync(inThe('documents'), { recursive: true, force: true });
      renameSync(inThe('elsewhere'), inThe('documents'));
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
