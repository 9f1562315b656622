import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { dyingAt } from '../../../../test/support/dying-disk.js';
import { openRecovered, runRecovery } from '../../../../test/support/recovering.js';
import { positionOf, recordsAfter } from '../../../../test/support/replication-world.js';
import { customerHistory, StoredReplica } from '../../../../test/support/stored-replica.js';
import type { Disk, EncodedRecord } from '../../../kernel/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import type { Recovery } from './recover.js';
import { linesOf } from './messages.js';

type Step = readonly ['prepare' | 'commit' | 'abort', string];

const HISTORY = customerHistory(3, 5);
/** Records 19 to 26. */
const TRANSACTIONS = recordsOf([
  ['prepare', 'a'],
  ['commit', 'a'],
  ['prepare', 'b'],
  ['abort', 'b'],
  ['prepare', 'c'],
  ['prepare', 'd'],
  ['commit', 'd'],
  ['commit', 'never prepared'],
]);
const WITHOUT_ROW = ['a', 'c', 'd'];

describe('a recovery of documents with transactions', () => {
  let data: string;
  let replicas: StoredReplica[];

  beforeEach(() => {
    data = temporaryDirectory();
    replicas = ['r1', 'r2', 'r3'].map((name) => new StoredReplica(name, HISTORY));
    replicas[1]!.held = [...HISTORY, ...TRANSACTIONS];
  });

  afterEach(() => {
    removeDirectory(data);
  });

  const run = (disk: Disk = new NodeDisk()): Promise<Recovery> =>
    runRecovery(replicas, { dataDirectory: data, minInSync: 2, isDryRun: false }, disk);

  const unmatched = async (): Promise<readonly string[]> => {
    const store = await openRecovered(data);
    await store.close();
    return store.unmatched();
  };

  it.each([0, 19, 20, 23, 25, 26])(
    "given records up to %i in a snapshot, names committed and in-doubt transactions and passes them to the app's start",
    async (snapshotSeq) => {
      replicas[1]!.snapshotSeq = snapshotSeq;
      const recovery = await run();

      expect(recovery).toMatchObject({ copied: { transactions: { decided: ['a', 'd'], unmatched: ['c'] } } });
      expect(linesOf(recovery, data).slice(2, 6)).toEqual([
        'decided: a, d',
        expect.stringContaining('You need not decide anything'),
        'unmatched: c',
        expect.stringContaining('/transactions?state=unmatched lists the others'),
      ]);
      expect(await unmatched()).toEqual(WITHOUT_ROW);
    },
  );

  it('given settled transactions, forgets them for good', async () => {
    await run();
    const store = await openRecovered(data);
    await store.settleUnmatched(['d', 'another', 'a']);
    await store.close();

    expect([store.unmatched(), await unmatched()]).toEqual([['c'], ['c']]);
  });

  it('given no transactions, reports none of both kinds', async () => {
    replicas[1]!.held = [...HISTORY];

    expect(linesOf(await run(), data).slice(2, 5)).toEqual([
      'decided: none',
      'unmatched: none',
      'Run "npm start" to continue.',
    ]);
  });

  it('given many, lists some and the number of the others', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => `t${index + 10}`);
    replicas[1]!.held = [...HISTORY, ...recordsOf(ids.map((id) => ['prepare', id]))];

    expect(linesOf(await run(), data)).toContain(`unmatched: ${ids.slice(0, 20).join(', ')}, and 10 more`);
    expect(await unmatched()).toEqual(ids);
  });

  it('given kill -9 at any step and another run, has named all of them', async () => {
    const counting = dyingAt(Infinity);
    await run(counting.disk);
    for (let nth = 1; nth <= counting.calls(); nth += 1) {
      removeDirectory(data);
      mkdirSync(data);
      const dying = dyingAt(nth);
      await expect(run(dying.disk)).rejects.toThrow();
      await dying.bury();
      const isInPlace = existsSync(join(data, 'documents/documents.json'));
      expect([nth, isInPlace ? await unmatched() : WITHOUT_ROW]).toEqual([nth, WITHOUT_ROW]);

      await run();
      expect([nth, await unmatched()]).toEqual([nth, WITHOUT_ROW]);
    }
  }, 60_000);
});

function recordsOf(steps: readonly Step[]): EncodedRecord[] {
  const ops = steps.map(([type, transaction]) => {
    if (type !== 'prepare') return { type, transaction };
    const changes = [{ type: 'bump', collection: 'customers' }];
    return { type, transaction, kind: 'test', decidedBy: 'a database', life: 1, changes };
  });
  return recordsAfter(positionOf(HISTORY.at(-1)!), 3, ops);
}
