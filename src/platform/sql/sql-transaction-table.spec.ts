import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Decision, DecisionDetails } from '../../kernel/index.js';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { transactionId } from '../../../test/support/transaction-ids.js';
import { type SqlDatabase, SqlTransactionTable } from './index.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ACKNOWLEDGEMENTS = { documents: { position: '1.7', outcome: { customersUpdated: 2 } } };

describe('SqlTransactionTable', () => {
  let directory: string;
  let file: string;
  let clock: SimulatedClock;
  let timers: SimulatedTimers;
  let database: SqlDatabase;
  let table: SqlTransactionTable;
  /** Documents' decision records up to here are in a snapshot. */
  let coveredSeq: number;

  const open = async (): Promise<void> => {
    timers = new SimulatedTimers();
    database = await openBooksDatabase(file, { timers });
    table = new SqlTransactionTable(
      database,
      { clock, log: new RecordingLog() },
      ({ documents }) => Number(documents?.position?.split('.')[1] ?? 0) <= coveredSeq,
    );
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'bookstore.db');
    clock = new SimulatedClock();
    coveredSeq = 1_000_000;
    await open();
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const detailsOf = (number: number, more: Partial<DecisionDetails> = {}): DecisionDetails => ({
    id: transactionId(clock.nowMs(), number),
    ...{ kind: 'books-2pc', decidedBy: database.databaseId, incarnation: database.epoch, by: 'coordinator' },
    ...{ begunAtMs: clock.nowMs() - 20, preparedAtMs: clock.nowMs() - 10, positions: { documents: '1.6' } },
    ...more,
  });
  const insert = (details: DecisionDetails, decision: Decision = 'committed'): Promise<unknown> =>
    database.writer.run(() => table.insert(details, decision));
  const insertMany = async (count: number, decision: Decision = 'committed'): Promise<string[]> => {
    const many = Array.from({ length: count }, (_, number) => detailsOf(number));
    await database.writer.run(() => {
      for (const details of many) table.insert(details, decision);
    });
    return many.map(({ id }) => id);
  };
  const storedIds = (): string[] =>
    database.reader.handle.prepare<[], string>('SELECT id FROM transactions ORDER BY id').pluck().all();
  const durableCompletions = (): unknown[] => {
    const other = new BetterSqlite3(file, { readonly: true });
    const found = other
      .prepare('SELECT id FROM transactions WHERE completed_at_ms IS NOT NULL ORDER BY id')
      .pluck()
      .all();
    other.close();
    return found;
  };

  it('given a decision, returns all of it by id and by operation', async () => {
    const details = detailsOf(1, { operationId: 'op', reason: 'told so', by: 'operator' });

    expect(await insert(details)).toBeUndefined();

    const expected = { ...details, decision: 'committed', decidedAtMs: clock.nowMs() };
    expect(table.find(details.id)).toEqual(expected);
    expect(table.findByOperation('op')).toEqual(expected);
    expect([table.find('another'), table.findByOperation('another')]).toEqual([undefined, undefined]);
    expect(table.decisionOf(details.id)).toBe('committed');
  });

  it('given an existing decision, returns it and writes nothing', async () => {
    await insert(detailsOf(1), 'aborted');

    expect(await insert(detailsOf(1, { reason: 'late' }))).toBe('aborted');
    expect(table.find(detailsOf(1).id)).not.toHaveProperty('reason');
  });

  it('given an aborted and a committed transaction of one operation, finds the committed one', async () => {
    await insert(detailsOf(1, { operationId: 'op' }), 'aborted');
    expect(table.findByOperation('op')?.decision).toBe('aborted');
    await insert(detailsOf(2, { operationId: 'op' }));

    expect(table.findByOperation('op')?.decision).toBe('committed');
  });

  it('given many, pages through them in both orders and by decision', async () => {
    const [a = '', b = '', c = ''] = await insertMany(3);
    const aborted = detailsOf(9);
    await insert(aborted, 'aborted');
    const ids = (page: Parameters<SqlTransactionTable['page']>[0]): string[] => table.page(page).map(({ id }) => id);

    expect(ids({ limit: 2 })).toEqual([a, b]);
    expect(ids({ limit: 9, after: b })).toEqual([c, aborted.id]);
    expect(ids({ limit: 2, order: 'newest-first' })).toEqual([aborted.id, c]);
    expect(ids({ limit: 9, after: b, order: 'newest-first' })).toEqual([a]);
    expect(ids({ limit: 9, decision: 'aborted' })).toEqual([aborted.id]);
    expect(ids({ limit: 2, decision: 'committed', order: 'newest-first' })).toEqual([c, b]);
  });

  it('given many, some pruned or of failed work, counts them', async () => {
    expect([table.count(), table.count('committed')]).toEqual([0, 0]);
    await insertMany(3);
    await insert(detailsOf(9), 'aborted');
    await insert(detailsOf(9), 'committed');
    const failing = database.writer.run(() => {
      table.insert(detailsOf(10), 'committed');
      throw new Error('the business rows failed');
    });
    await expect(failing).rejects.toThrow('the business rows failed');

    expect([table.count(), table.count('committed'), table.count('aborted')]).toEqual([4, 3, 1]);
    await database.writer.run(() =>
      database.writeHandle.prepare("DELETE FROM transactions WHERE decision = 'aborted'").run(),
    );
    expect([table.count(), table.count('committed'), table.count('aborted')]).toEqual([3, 3, 0]);
  });

  describe('given a completed one', () => {
    it('shows it to readers at once, with the acknowledgements, and costs no commit of its own', async () => {
      const details = detailsOf(1, { operationId: 'op' });
      await insert(details);
      expect(table.incomplete().map(({ id }) => id)).toEqual([details.id]);
      table.complete(details.id, ACKNOWLEDGEMENTS);

      const completed = { completedAtMs: clock.nowMs(), acknowledgements: ACKNOWLEDGEMENTS };
      expect(table.find(details.id)).toMatchObject(completed);
      expect(table.findByOperation('op')).toMatchObject(completed);
      expect(table.page({ limit: 1 })).toMatchObject([completed]);
      expect(table.incomplete()).toEqual([]);
      expect(durableCompletions()).toEqual([]);
    });

    it('makes it durable with the next commit', async () => {
      const [first = '', second = '', third = ''] = await insertMany(3);
      table.complete(first, ACKNOWLEDGEMENTS);
      table.complete(second, ACKNOWLEDGEMENTS);
      await insert(detailsOf(9));

      expect(durableCompletions()).toEqual([first, second]);
      table.complete(third, ACKNOWLEDGEMENTS);
      expect(table.incomplete()).toHaveLength(1);
      timers.pass(1_000);
      expect(durableCompletions()).toEqual([first, second, third]);
    });

    it('makes it durable when the database is closed', async () => {
      const [id = ''] = await insertMany(1);
      table.complete(id, ACKNOWLEDGEMENTS);
      const before = table.find(id);
      await database.close();
      await open();

      expect(table.find(id)).toEqual(before);
    });

    it('keeps the first acknowledgements', async () => {
      const [id = ''] = await insertMany(1);
      table.complete(id, ACKNOWLEDGEMENTS);
      const first = table.find(id);
      clock.advance(1);
      table.complete(id, {});
      expect(table.find(id)).toEqual(first);
      await database.writer.drained();
      table.complete(id, {});
      await database.writer.drained();

      expect(table.find(id)).toEqual(first);
    });
  });

  describe('given rows to forget', () => {
    const prune = (): Promise<number> => database.writer.run(() => table.prune());
    const complete = async (ids: readonly string[], position = '1.7'): Promise<void> => {
      for (const id of ids) table.complete(id, { documents: { position } });
      await database.writer.drained();
    };

    it('forgets completed ones after a day', async () => {
      await complete(await insertMany(2));
      clock.advance(DAY_MS);
      expect(await prune()).toBe(0);
      clock.advance(1);

      expect(await prune()).toBe(2);
      expect(storedIds()).toEqual([]);
    });

    it('never forgets one that is not completed', async () => {
      const ids = await insertMany(2);
      await complete(ids.slice(1));
      clock.advance(2 * DAY_MS);
      await prune();

      expect(storedIds()).toEqual(ids.slice(0, 1));
    });

    it('never forgets one whose decision record is in no snapshot yet, and forgets it once it is', async () => {
      const ids = await insertMany(2);
      await complete(ids.slice(0, 1), '1.7');
      await complete(ids.slice(1), '1.8');
      coveredSeq = 7;
      clock.advance(2 * DAY_MS);
      await prune();
      expect(storedIds()).toEqual(ids.slice(1));
      coveredSeq = 8;
      await prune();

      expect(storedIds()).toEqual([]);
    });

    it('given a clock that was set back since, keeps rows younger than a day by it', async () => {
      await complete(await insertMany(1));
      clock.advance(-DAY_MS);
      await prune();

      expect(storedIds()).toHaveLength(1);
    });

    it('forgets at most 1,000 at a time, also those behind many that must stay', async () => {
      const staying = await insertMany(1_000, 'aborted');
      await complete(staying, '2.9');
      clock.advance(1);
      const going = await insertMany(1_500);
      await complete(going, '1.7');
      coveredSeq = 8;
      clock.advance(2 * DAY_MS);

      expect([await prune(), await prune(), await prune()]).toEqual([0, 1_000, 500]);
      expect(storedIds()).toEqual(staying);
    });

    it('runs with inserts, so that the table stays bounded', async () => {
      const old = await insertMany(10);
      await complete(old);
      clock.advance(2 * DAY_MS);
      const later = await insertMany(500);

      expect(storedIds()).toEqual(later);
    });
  });
});
