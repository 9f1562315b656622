import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openDatabase } from '../../../test/support/books-database.js';
import { PROMPT_TIMERS } from '../../../test/support/prompt-timers.js';
import type { SqlDatabase } from '../../platform/sql/index.js';
import { PLATFORM_MIGRATIONS, sqlMigration, SqlOperationLedger } from '../../platform/sql/index.js';
import { storageFull } from '../../kernel/index.js';
import { systemClock } from '../../platform/process/index.js';
import { BatchInit, type RowRange } from './batch-init.js';
import { CreateBatchInits1764800000004 } from './create-batch-inits.migration.js';
import { ShopGate } from './shop-gate.js';

const CreateCoins1764900000001 = sqlMigration('CreateCoins1764900000001', {
  up: ['CREATE TABLE coins (id TEXT PRIMARY KEY, amount INTEGER NOT NULL, set_number INTEGER NOT NULL) STRICT'],
  down: ['DROP TABLE coins'],
});

describe('batch_init', () => {
  let directory: string;
  let database: SqlDatabase;
  let operations: SqlOperationLedger;
  let gate: ShopGate;
  let coins: BatchInit<{ amount: number }>;
  /** The rows of each commit that was tried. */
  let tried: RowRange[];
  /** Called before the rows of a commit are written. */
  let before: (range: RowRange) => void;

  const open = async (): Promise<void> => {
    const migrations = [...PLATFORM_MIGRATIONS, CreateBatchInits1764800000004, CreateCoins1764900000001];
    database = await openDatabase({ file: join(directory, 'coins.db'), entities: [], migrations });
    operations = new SqlOperationLedger(database, systemClock);
    gate = new ShopGate();
    const put = database.writeHandle.prepare('INSERT OR REPLACE INTO coins VALUES (?, ?, ?)');
    coins = new BatchInit({ database, operations }, gate, PROMPT_TIMERS, {
      rows: 'coins',
      rowsPerCommit: 2,
      write: (_scope, range, { amount }) => {
        tried.push(range);
        before(range);
        for (let row = range.from; row < range.to; row += 1) put.run(String(row), amount, range.setNumber);
      },
      answerOf: (rows, rowCount) => ({ status: 200, headers: {}, body: `${String(rowCount)} ${rows}` }),
    });
  };
  const restart = async (): Promise<void> => {
    await coins.onModuleDestroy();
    await database.close();
    await open();
  };
  const stored = (): unknown[] =>
    database.reader.handle.prepare('SELECT id, amount, set_number FROM coins ORDER BY id').raw().all();
  const stamp = { id: 'an operation', scope: 'a key', bodyHmac: 'a body' };
  const rangesOf = (setNumber: number, ...ends: readonly number[]): RowRange[] =>
    ends.map((to, index) => ({ from: ends[index - 1] ?? 0, to, setNumber }));

  beforeEach(async () => {
    directory = temporaryDirectory();
    tried = [];
    before = () => undefined;
    await open();
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('writes its rows in commits of the stated size, and records its operation', async () => {
    const answer = await coins.run(5, { amount: 7 }, stamp);

    expect(answer).toEqual({ status: 200, headers: {}, body: '5 coins' });
    expect(tried).toEqual(rangesOf(1, 2, 4, 5));
    expect(stored()).toEqual(['0', '1', '2', '3', '4'].map((id) => [id, 7, 1]));
    expect(operations.findByScope('a key')).toMatchObject({ id: 'an operation', answer });
  });

  it('shows its operation as running from its first commit to its last', async () => {
    const shown: unknown[] = [];
    before = () => {
      const found = operations.findById('an operation');
      shown.push(found && [found.answer, found.ended !== undefined]);
    };
    const { body } = await coins.run(5, { amount: 7 }, stamp);
    expect(shown).toEqual([undefined, [undefined, true], [undefined, true]]);
    const found = operations.findById('an operation');
    expect([found?.answer?.body, found?.ended]).toEqual([body, undefined]);
  });

  it('given no rows, begins a set of none', async () => {
    expect((await coins.run(0, { amount: 7 }, { id: 'first' })).body).toBe('0 coins');
    await coins.run(1, { amount: 7 }, { id: 'second' });
    expect(stored()).toEqual([['0', 7, 2]]);
  });

  it('given another run, replaces the rows with those of the next set, and leaves those beyond', async () => {
    await coins.run(3, { amount: 7 }, { id: 'first' });
    await restart();
    await coins.run(2, { amount: 9 }, { id: 'second' });
    expect(stored()).toEqual([['0', 9, 2], ['1', 9, 2], ['2', 7, 1]]); // prettier-ignore
  });

  it('shuts the gate until all rows are written', async () => {
    const refusals: unknown[] = [];
    before = () => {
      refusals.push(refusalOf(() => gate.enterCheckout()));
    };
    const running = coins.run(3, { amount: 7 }, { id: 'first' });
    await expect(coins.run(3, { amount: 7 }, { id: 'second' })).rejects.toMatchObject({ code: 'conflict' });
    await running;
    expect(refusals).toEqual(['conflict', 'conflict']);
    expect(refusalOf(() => gate.enterCheckout())).toBeUndefined();
  });

  it('given a checkout under way, is refused and writes nothing', async () => {
    gate.enterCheckout();
    await expect(coins.run(3, { amount: 7 }, stamp)).rejects.toMatchObject({ code: 'conflict' });
    expect([tried, stored()]).toEqual([[], []]);
  });

  it('whose first commit is refused, has written nothing, and opens the gate', async () => {
    before = () => {
      throw storageFull(undefined);
    };
    await expect(coins.run(3, { amount: 7 }, stamp)).rejects.toMatchObject({ code: 'storage-full' });
    await restart();
    await coins.finish();
    expect([tried.length, stored()]).toEqual([1, []]);
    expect(refusalOf(() => gate.enterCheckout())).toBeUndefined();
  });

  it('whose later commit is refused, tries it again until it is written', async () => {
    before = ({ from }) => {
      if (from === 2 && tried.length < 4) throw storageFull(undefined);
    };
    await coins.run(3, { amount: 7 }, stamp);
    expect(tried.map(({ from }) => from)).toEqual([0, 2, 2, 2]);
    expect(stored()).toHaveLength(3);
  });

  it('that a stop cuts short, is finished by the next incarnation, once, as the same set and the same operation', async () => {
    before = ({ from }) => {
      if (from === 2) void coins.onModuleDestroy();
    };
    await expect(coins.run(5, { amount: 7 }, stamp)).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect([stored().length, operations.findById('an operation')]).toEqual([4, undefined]);
    await restart();

    await coins.finish();
    await coins.finish();

    expect(tried).toEqual(rangesOf(1, 2, 4, 5));
    expect(stored()).toEqual(['0', '1', '2', '3', '4'].map((id) => [id, 7, 1]));
    expect(operations.findByScope('a key')).toMatchObject({ id: 'an operation', answer: { body: '5 coins' } });
  });

  it('that a stop cuts short again in the start that finishes it, leaves the rest to the one after', async () => {
    before = () => void coins.onModuleDestroy();
    await expect(coins.run(5, { amount: 7 }, stamp)).rejects.toMatchObject({ code: 'outcome-unknown' });
    await restart();
    await expect(coins.finish()).rejects.toMatchObject({ code: 'shutting-down' });
    await restart();
    await coins.finish();
    expect(tried).toEqual(rangesOf(1, 2, 4, 5));
  });
});

function refusalOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}
