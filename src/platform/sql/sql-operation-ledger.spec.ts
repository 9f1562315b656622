import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { HeldKeyCounts, type HeldKeys } from '../../kernel/index.js';
import { OperationKeysAhead, type RecordedAnswer, type SqlDatabase, SqlOperationLedger } from './index.js';

const HOUR_MS = 3_600_000;
const RECORDED_PER_PRUNE = 500;
const MAX_WITHOUT_KEY = 100_000;
const ANSWER: RecordedAnswer = { status: 201, headers: { location: '/books/1' }, body: '{"id":1}' };
const answerOf = (id: number): RecordedAnswer => ({ ...ANSWER, body: JSON.stringify({ id }) });
const INSERT = "INSERT INTO books (title, author, price_cents) VALUES (?, 'A', 100)";

/** Where the operation is recorded: the second is the planted bug. */
type RecordedWhere = 'in the commit of its write' | 'in a second commit';

describe('SqlOperationLedger', () => {
  let directory: string;
  let clock: SimulatedClock;
  let database: SqlDatabase;
  let ledger: SqlOperationLedger;
  /** The commits that this incarnation still makes; undefined: as many as it likes. */
  let commitsLeft: number | undefined;

  const open = async (): Promise<void> => {
    const crashSites = {
      reach: (site: string): void => {
        if (site !== 'sql.commit.before' || commitsLeft === undefined) return;
        if (commitsLeft === 0) throw new Error('the process is dead');
        commitsLeft -= 1;
      },
    };
    database = await openBooksDatabase(join(directory, 'bookstore.db'), { crashSites });
    ledger = new SqlOperationLedger(database, clock);
  };
  const restart = async (): Promise<void> => {
    commitsLeft = undefined;
    if (database.writeHandle.inTransaction) database.writeHandle.exec('ROLLBACK');
    await database.close();
    await open();
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    clock = new SimulatedClock();
    commitsLeft = undefined;
    await open();
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const record = (id: string, scope?: string): Promise<void> =>
    database.writer.run(() => {
      ledger.record({ operation: scope === undefined ? { id } : { id, scope, bodyHmac: 'hmac' }, answerOf }, 1);
    });
  const recordMany = (count: number, name: string): Promise<void> =>
    database.writer.run(() => {
      for (let n = 0; n < count; n += 1) ledger.record({ operation: { id: `${name} ${String(n)}` }, answerOf }, 1);
    });

  it('given an operation with a key, returns it whole by key and by id, also after a restart', async () => {
    await record('id', 'key');
    await restart();

    const expected = { id: 'id', bodyHmac: 'hmac', atMs: clock.nowMs(), answer: ANSWER };
    expect(ledger.findByScope('key')).toEqual(expected);
    expect(ledger.findById('id')).toEqual(expected);
    expect(ledger.findByScope('another')).toBeUndefined();
  });

  it('given work that fails after it recorded, knows nothing of it', async () => {
    const failing = database.writer.run(() => {
      ledger.record({ operation: { id: 'id', scope: 'key', bodyHmac: 'hmac' }, answerOf }, 1);
      throw new Error('no');
    });

    await expect(failing).rejects.toThrow('no');
    expect(ledger.findByScope('key')).toBeUndefined();
  });

  it('given later operations, keeps those with a key for a day and those without for ten minutes', async () => {
    await record('with key', 'key');
    await record('without');
    clock.advance(HOUR_MS / 6);
    await recordMany(RECORDED_PER_PRUNE, 'later');
    expect([ledger.findByScope('key')?.id, ledger.findById('without')]).toEqual(['with key', undefined]);
    clock.advance(24 * HOUR_MS);
    await recordMany(RECORDED_PER_PRUNE, 'a day later');

    expect(ledger.findByScope('key')).toBeUndefined();
  });

  it('given a key whose operation is a day old but still stored, replaces the operation', async () => {
    await record('old', 'key');
    clock.advance(24 * HOUR_MS);
    await record('new', 'key');

    expect([ledger.findByScope('key')?.id, ledger.findById('new')?.atMs]).toEqual(['new', clock.nowMs()]);
    expect(ledger.findById('old')).toBeUndefined();
  });

  it('given a key whose operation is younger than a day, refuses the work that would repeat it', async () => {
    await record('old', 'key');
    clock.advance(24 * HOUR_MS - 1);

    await expect(record('new', 'key')).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' });
    expect(ledger.findByScope('key')?.id).toBe('old');
  });

  /** As they are after `count` writes, with or without a key each. */
  const plant = (name: string, count: number, scope: string, keptMs: number): void => {
    database.writeHandle.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(count)})
       INSERT INTO operations (id, scope, owner, at_ms, expires_at_ms, status, headers)
       SELECT '${name} ' || i, ${scope}, ${scope === 'NULL' ? 'NULL' : "'owner'"}, 0, ${String(clock.nowMs() + keptMs)} + i, 200, '{}' FROM n`,
    );
  };

  it('given more operations without a key than it keeps, forgets the oldest of those, and none with a key', async () => {
    plant('keyed', 2 * MAX_WITHOUT_KEY, "'scope ' || i", 1);
    plant('old', MAX_WITHOUT_KEY, 'NULL', 1);
    await restart();
    await recordMany(RECORDED_PER_PRUNE, 'later');

    const sql = 'SELECT count(*) FROM operations GROUP BY scope IS NULL ORDER BY 1';
    const counts = database.reader.handle.prepare<[], number>(sql).pluck().all();
    expect(counts).toEqual([MAX_WITHOUT_KEY, 2 * MAX_WITHOUT_KEY]);
    expect([ledger.findById('old 1'), ledger.findByScope('scope 1')?.id]).toEqual([undefined, 'keyed 1']);
  });

  it('given keys that other processes added, keeps them for two minutes', async () => {
    await database.writer.run(() => {
      ledger.record({ operation: { id: 'added', scope: 'key', bodyHmac: 'hmac', owner: '+' }, answerOf }, 1);
    });
    clock.advance(120_000 - 1);
    await recordMany(RECORDED_PER_PRUNE, 'later');
    expect(ledger.findByScope('key')?.id).toBe('added');
    clock.advance(1);
    await recordMany(RECORDED_PER_PRUNE, 'later still');

    expect(ledger.findByScope('key')).toBeUndefined();
  });

  it('given a reopening, reports the keys of each owner within a second, without expired ones', async () => {
    const own = (id: string, owner: string): Promise<void> =>
      database.writer.run(() => {
        ledger.record({ operation: { id, scope: id, bodyHmac: 'hmac', owner }, answerOf }, 1);
      });
    const begin = clock.nowMs();
    await own('over', 'a');
    clock.advance(20 * HOUR_MS);
    await own('1', 'a');
    await own('2', 'a');
    await own('3', 'b');
    clock.advance(5_000);
    await own('4', 'a');
    await own('5', '+');
    await record('without owner', 'x');
    await record('without key');
    clock.advance(4 * HOUR_MS - 5_000);
    await restart();

    const held = [...ledger.heldKeys()].map(({ owner, atMs, count }) => [owner, atMs - begin - 20 * HOUR_MS, count]);
    expect(held).toEqual([
      ['a', 0, 2],
      ['a', 5_000, 1],
      ['b', 0, 1],
    ]);
  });

  it('given keys that were counted ahead, reports those that have come since, and those that were added', async () => {
    const own = (id: string, owner: string): Promise<void> =>
      database.writer.run(() => {
        ledger.record({ operation: { id, scope: id, bodyHmac: 'hmac', owner }, answerOf }, 1);
      });
    const counts = new HeldKeyCounts();
    const ahead = new OperationKeysAhead(database.reader.handle, clock, counts);
    await own('1', 'a');
    // The count leaves out the last half minute, because a commit may take long.
    clock.advance(60_000);
    Array.from(ahead.count());
    await own('2', '+');
    await own('3', 'a');
    clock.advance(60_000);
    Array.from(ahead.count());
    await own('4', 'b');
    const told = (held: Iterable<HeldKeys>): unknown => [...held].map(({ owner, count }) => [owner, count]);

    expect(told(counts)).toEqual([
      ['a', 1],
      ['a', 1],
    ]);
    expect(told(ledger.heldKeys(ahead.belowMs))).toEqual([
      ['+', 1],
      ['b', 1],
    ]);
    clock.advance(-100_000);
    expect(ahead.isOutdated).toBe(true);
    expect(() => Array.from(ahead.count())).toThrow('the clock went back');
  });

  it('given keys that are being counted ahead, counts few in each step, and the takeover may come between any two', async () => {
    await database.writer.run(() => {
      for (let n = 0; n < 11_000; n += 1) {
        const id = String(n);
        ledger.record({ operation: { id, scope: id, bodyHmac: 'hmac', owner: 'a' }, answerOf }, 1);
        clock.advance(10);
      }
    });
    clock.advance(60_000);
    const counts = new HeldKeyCounts();
    const ahead = new OperationKeysAhead(database.reader.handle, clock, counts);
    const sum = (held: Iterable<HeldKeys>): number => [...held].reduce((total, { count }) => total + count, 0);
    let before = 0;
    let steps = 0;
    for (const _ of ahead.count()) {
      expect(sum(counts) + sum(ledger.heldKeys(ahead.belowMs))).toBe(11_000);
      expect(sum(counts) - before).toBeLessThanOrEqual(5_000);
      before = sum(counts);
      steps += 1;
    }

    expect([before, steps > 2]).toEqual([11_000, true]);
  });

  it('given days in which keys are counted ahead, keeps only those of a day', async () => {
    const counts = new HeldKeyCounts();
    const ahead = new OperationKeysAhead(database.reader.handle, clock, counts);
    for (let hour = 0; hour < 72; hour += 1) {
      const id = String(hour);
      await database.writer.run(() => {
        ledger.record({ operation: { id, scope: id, bodyHmac: 'hmac', owner: id }, answerOf }, 1);
      });
      clock.advance(HOUR_MS);
      Array.from(ahead.count());
    }

    const hours = [...counts].map(({ owner }) => Number(owner));
    expect([Math.min(...hours) >= 46, Math.max(...hours)]).toEqual([true, 71]);
    expect([...ledger.heldKeys(ahead.belowMs)]).toEqual([]);
  });

  describe('given a process that dies at any commit and a client that repeats with its key', () => {
    const write = async (recording: RecordedWhere): Promise<void> => {
      if (ledger.findByScope('key')) return;
      const stamp = { id: `id ${String(database.epoch)}`, scope: 'key', bodyHmac: 'hmac' };
      await database.writer.run(() => {
        database.writeHandle.prepare(INSERT).run('the book');
        if (recording === 'in the commit of its write') ledger.record({ operation: stamp, answerOf }, 1);
      });
      if (recording === 'in the commit of its write') return;
      await database.writer.run(() => {
        ledger.record({ operation: stamp, answerOf }, 1);
      });
    };
    const copiesAfterDyingAt = async (commit: number, recording: RecordedWhere): Promise<number | undefined> => {
      commitsLeft = commit;
      await write(recording).catch(() => undefined);
      await restart();
      await write(recording);
      const sql = "SELECT count(*) FROM books WHERE title = 'the book'";
      return database.reader.handle.prepare<[], number>(sql).pluck().get();
    };

    it.each([0, 1])(
      'with the record in the commit of its write and %i commits done, the book exists once',
      async (commit) => {
        expect(await copiesAfterDyingAt(commit, 'in the commit of its write')).toBe(1);
      },
    );

    it('with the record in a second commit and a death between the two, the audit finds the book twice', async () => {
      expect(await copiesAfterDyingAt(1, 'in a second commit')).toBe(2);
    });
  });
});
