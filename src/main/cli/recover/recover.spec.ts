import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { dyingAt } from '../../../../test/support/dying-disk.js';
import { openRecovered, runRecovery } from '../../../../test/support/recovering.js';
import { customerHistory, StoredReplica } from '../../../../test/support/stored-replica.js';
import type { Disk } from '../../../kernel/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import type { Recovery, RecoveryOptions } from './recover.js';
import { linesOf } from './messages.js';

const HISTORY = customerHistory(3, 5);
const MIN_IN_SYNC = 2;

describe('a recovery from replicas', () => {
  let data: string;
  let replicas: StoredReplica[];

  beforeEach(() => {
    data = temporaryDirectory();
    // Two that are behind, one that is ahead, one in the middle.
    replicas = [6, 18, 7, 12].map((length, index) => new StoredReplica(`r${index + 1}`, HISTORY.slice(0, length)));
  });

  afterEach(() => {
    removeDirectory(data);
  });

  const run = (options: Partial<RecoveryOptions> = {}, disk: Disk = new NodeDisk()): Promise<Recovery> =>
    runRecovery(replicas, { dataDirectory: data, minInSync: MIN_IN_SYNC, isDryRun: false, ...options }, disk);

  /** What the app finds: the names of all customers, read by the real store. */
  async function customers(): Promise<string[]> {
    const store = await openRecovered(data);
    const names = store.page('customers', 0, 100).documents.map(({ name }) => String(name));
    await store.close();
    return names;
  }
  const first = (count: number): string[] => Array.from({ length: count }, (_, index) => `Customer ${index + 1}`);

  it('given a lost data directory, restores everything from the replica that holds most, and the app can continue', async () => {
    const recovery = await run();

    expect(recovery).toMatchObject({
      ...{ kind: 'restored', heard: 4, kept: undefined },
      copied: { customers: 15, position: { epoch: 3, seq: 18 }, transactions: { decided: [], unmatched: [] } },
      choice: { replica: 'r2' },
    });
    expect(await customers()).toEqual(first(15));
    expect(readdirSync(data)).toEqual(['documents', 'documents.end']);
  });

  it('given data ahead of every replica, reports it, changes nothing and asks for no promise', async () => {
    await run();
    replicas = [6, 12, 7, 12].map((length, index) => new StoredReplica(`r${index + 1}`, HISTORY.slice(0, length)));

    const recovery = await run();

    expect(recovery).toMatchObject({ kind: 'impossible', reason: expect.stringMatching(/ahead of the replicas/) });
    expect(await customers()).toEqual(first(15));
    expect(readdirSync(data)).toEqual(['documents', 'documents.end']);
  });

  it('given a best replica with old records in a snapshot only, restores the snapshot and the later records', async () => {
    replicas[1]!.snapshotSeq = 10;

    expect(await run()).toMatchObject({ kind: 'restored', copied: { customers: 15 } });
    expect(await customers()).toEqual(first(15));
  });

  it('given a best replica with everything in its snapshot, restores that', async () => {
    replicas[1]!.snapshotSeq = 18;

    expect(await run()).toMatchObject({ kind: 'restored', copied: { customers: 15 } });
    expect(await customers()).toEqual(first(15));
  });

  it('given two replicas with different data at the highest position, restores neither and asks for no promise', async () => {
    replicas[3]!.held = HISTORY.slice(0, 18);
    replicas[3]!.stateHashOverride = 'of a file that was changed by hand';
    const recovery = await run();

    expect(recovery).toMatchObject({ kind: 'impossible', reason: expect.stringContaining('r2 versus r4') });
    expect(replicas.flatMap(({ asked }) => asked)).toEqual([]);
    expect(readdirSync(data)).toEqual([]);
    expect(await run({ isDryRun: true })).toMatchObject({ kind: 'impossible' });
  });

  it('given a replica at the highest position that does not report its state, restores all the same', async () => {
    replicas[3]!.held = HISTORY.slice(0, 18);
    replicas[3]!.stateHash = () => Promise.reject(new Error('no answer'));

    expect(await run()).toMatchObject({ kind: 'restored', copied: { customers: 15 } });
  });

  it('given a newer epoch and a longer history, prefers the newer epoch', async () => {
    const dead = customerHistory(1, 30);
    replicas[0]!.held = dead;
    replicas[1]!.held = HISTORY.slice(0, 8);

    expect(await run()).toMatchObject({ choice: { replica: 'r4', position: { epoch: 2, seq: 12 } } });
  });

  it("before it copies, has every replica's promise of one epoch above all others", async () => {
    replicas[3]!.promised = { epoch: 9, primaryId: 'somebody' };
    await run();

    expect(new Set(replicas.map(({ promised }) => JSON.stringify(promised))).size).toBe(1);
    expect(replicas[0]!.promised.epoch).toBe(10);
    expect(replicas[0]!.promised.primaryId).toMatch(/^[\da-f]{32}$/);
  });

  it('given a promise of a higher epoch between its two questions, asks again for a higher one', async () => {
    const [one] = replicas;
    const report = one!.report.bind(one);
    one!.report = async () => ({ ...(await report()), promisedEpoch: 0 });
    one!.promised = { epoch: 20, primaryId: 'somebody' };
    const promise = one!.promise.bind(one);
    one!.promise = async (from) => {
      const answer = await promise(from);
      return { ...answer, report: { ...answer.report, promisedEpoch: one!.promised.epoch } };
    };

    expect(await run()).toMatchObject({ kind: 'restored' });
    expect(replicas.map(({ promised }) => promised.epoch)).toEqual([21, 21, 21, 21]);
  });

  it('given one replica that is down, restores from the other three', async () => {
    replicas[0]!.isDown = true;

    expect(await run()).toMatchObject({ kind: 'restored', heard: 3 });
  });

  it.each([
    ['two that are down', (one: StoredReplica) => (one.isDown = true)],
    ['two that can vouch for nothing', (one: StoredReplica) => (one.canVote = false)],
    ['two that are empty', (one: StoredReplica) => (one.held = [])],
  ])(
    'given %s of four, is not possible, says what is needed, and no replica has promised anything',
    async (_what, harm) => {
      replicas.slice(1, 3).forEach(harm);

      const recovery = await run();

      expect(recovery.kind).toBe('impossible');
      expect(linesOf(recovery, data).join('\n')).toMatch(
        /^Recovery is not possible: Only 2 .*3 (replicas )?are needed/,
      );
      expect(replicas.flatMap(({ asked }) => asked)).toEqual([]);
      expect(readdirSync(data)).toEqual([]);
    },
  );

  it('given copies of two clusters, is not possible', async () => {
    replicas[0] = new StoredReplica('r1', customerHistory(1, 3, 'cluster-b'), 'cluster-b');

    expect(await run()).toMatchObject({ kind: 'impossible', reason: expect.stringContaining('different clusters') });
  });

  it('given --dry-run, reports the choice, and nothing is promised or written', async () => {
    expect(await run({ isDryRun: true })).toMatchObject({ kind: 'possible', choice: { replica: 'r2' }, heard: 4 });
    expect(replicas.flatMap(({ asked }) => asked)).toEqual([]);
    expect(readdirSync(data)).toEqual([]);
  });

  it('given existing documents, keeps them under another name and reports that name', async () => {
    mkdirSync(join(data, 'documents'));
    writeFileSync(join(data, 'documents/journal-0000000000000001.log'), 'what is left');

    const recovery = await run();

    const { kept = '' } = recovery as Extract<Recovery, { kind: 'restored' }>;
    expect(kept).toMatch(/documents\.before-recovery-\d{4}-\d\d-\d\dT[\d-]+Z$/);
    expect(readFileSync(join(kept, 'journal-0000000000000001.log'), 'utf8')).toBe('what is left');
    expect(linesOf(recovery, data)).toContain(`The earlier documents are kept in ${kept}.`);
    expect(await customers()).toEqual(first(15));
  });

  it.each([
    ['a record that was changed', (json: string) => json.replace('Customer 9', 'Customer X')],
    ['a record with another number', (json: string) => json.replace('"seq":11', '"seq":12')],
  ])('given %s, refuses the copy and leaves the existing data', async (_what, change) => {
    mkdirSync(join(data, 'documents'));
    writeFileSync(join(data, 'documents/kept'), '');
    replicas[1]!.held = replicas[1]!.held.map((record) => ({ ...record, json: change(record.json) }));

    await expect(run()).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(/^r2: .*record 11/),
    });
    expect(readdirSync(join(data, 'documents'))).toEqual(['kept']);
  });

  it('given a snapshot with changed bytes, refuses it', async () => {
    replicas[1]!.snapshotSeq = 10;
    const snapshot = replicas[1]!.snapshot.bind(replicas[1]);
    replicas[1]!.snapshot = async () => {
      const { position, sizeBytes } = (await snapshot())!;
      async function* chunks(): AsyncGenerator<Buffer> {
        yield Buffer.from('{"customers":{},"_checksum":"00000000"}\n');
      }
      return { position, sizeBytes, chunks: chunks() };
    };

    await expect(run()).rejects.toMatchObject({ code: 'data-corrupt' });
    expect(existsSync(join(data, 'documents'))).toBe(false);
  });

  it('given a state that the records do not produce, refuses it', async () => {
    replicas[1]!.stateHashOverride = 'another';

    await expect(run()).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(/^r2: its records/),
    });
  });

  it('given kill -9 at any step, can be run again, and loses no existing data', async () => {
    let steps = 0;
    for (let nth = 1; nth <= steps || nth === 1; nth += 1) {
      removeDirectory(data);
      mkdirSync(join(data, 'documents'), { recursive: true });
      writeFileSync(join(data, 'documents/old'), 'what is left');
      const dying = dyingAt(nth);
      await expect(run({}, dying.disk)).rejects.toThrow();
      await dying.bury();
      if (nth === 1) {
        const counting = dyingAt(Infinity);
        await run({}, counting.disk);
        steps = counting.calls();
        continue;
      }

      expect((await run()).kind).toBe('restored');
      expect(await customers()).toEqual(first(15));
      const kept = readdirSync(data).filter((name) => existsSync(join(data, name, 'old')));
      expect([nth, kept.length]).toEqual([nth, 1]);
    }
    expect(steps).toBeGreaterThan(10);
  }, 60_000);

  it('reports what was restored from where, what was not, and that nothing is unmatched', async () => {
    writeFileSync(join(data, 'bookstore.db'), '');

    const lines = linesOf(await run(), data);

    expect(lines[0]).toMatch(/^Restored 15 customers up to 3\.18 from r2; 4 replicas promised/);
    expect(lines.join('\n')).toMatch(
      /^Not restored: books, .*bookstore\.db in place with its \.commits file, and without -wal and -shm; the present file was left unchanged\.$/m,
    );
    expect(lines).toContain('unmatched: none');
    removeDirectory(join(data, 'bookstore.db'));
    expect(linesOf(await run(), data).join('\n')).toMatch(
      /bookstore\.db in place with its \.commits file, and without -wal and -shm; without a backup, the next start begins without books/,
    );
  });
});
