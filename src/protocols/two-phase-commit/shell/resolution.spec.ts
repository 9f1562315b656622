import { beforeEach, describe, expect, it } from '@jest/globals';
import { LastResourceDisk } from '../../../../test/support/memory-last-resource.js';
import { FULL, IN_DOUBT_AFTER_MS, TransactionWorld } from '../../../../test/support/transaction-world.js';

const NOTHING = { committed: [], aborted: [], unmatched: [], failed: [] };
const BY = { by: 'ops', reason: 'the old disk is lost' };

let world: TransactionWorld;

const inDoubt = async (): Promise<string[]> =>
  (await Promise.all(world.participants.map((each) => each.inDoubt()))).flat().map(({ id }) => id);
const names = (): readonly (readonly string[])[] => [...world.disks.values()].map((disk) => disk.names);
/** Begins `work` and lets the process die after the step. */
const dieAfter = async (step: string, work = 'x'): Promise<void> => {
  world.lastStep = step;
  void world.execute(work);
  await world.settled();
};
/** Leaves a transaction in doubt, then replaces the database that decides it. */
const lostDatabase = async (): Promise<void> => {
  await dieAfter('sql committed');
  world.sqlDisk = new LastResourceDisk('sql-2');
  world.start();
};
/** The database as it was one incarnation earlier. */
const olderCopy = async (): Promise<void> => {
  const older = world.sqlDisk.copy();
  world.start();
  await dieAfter('b prepared');
  world.sqlDisk = older;
  world.start();
};

beforeEach(() => {
  world = new TransactionWorld();
});

describe('a transaction that another database decides', () => {
  it.each([
    ['a lost database', lostDatabase],
    ['an older copy of the database', olderCopy],
  ])('given %s, is left to an operator, at the start and later', async (_, lose) => {
    await lose();

    expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, unmatched: ['t1'] });
    const stop = world.coordinator.keepRecovering();
    await world.pass(2 * IN_DOUBT_AFTER_MS);
    stop();
    expect(await world.coordinator.recoverNow()).toEqual({ ...NOTHING, unmatched: ['t1'] });
    expect([await inDoubt(), world.sqlDisk.rows.size]).toEqual([['t1', 't1'], 0]);
    expect(world.coordinator.find('t1')?.state).toBe('unmatched');
    expect(world.log.warnings).toEqual(['a transaction is in doubt and another database decides it']);
    for (let incarnation = 2; incarnation <= 3; incarnation += 1) {
      world.start();
      expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, unmatched: ['t1'] });
    }
  });

  it('is reported by each later recovery, including one that runs immediately', async () => {
    await lostDatabase();
    await world.coordinator.recoverAtStart();

    expect(await world.coordinator.recoverNow()).toEqual({ ...NOTHING, unmatched: ['t1'] });
  });

  it('includes every transaction that a recovery from replicas named, even if this database might have decided it', async () => {
    await dieAfter('b prepared');
    world.start();

    expect(await world.coordinator.recoverAtStart(['t1'])).toEqual({ ...NOTHING, unmatched: ['t1'] });
    expect(await world.coordinator.recoverNow()).toEqual({ ...NOTHING, unmatched: ['t1'] });
  });

  it('is settled by a row that this database holds', async () => {
    await dieAfter('sql committed');
    world.start();

    expect(await world.coordinator.recoverAtStart(['t1'])).toEqual({ ...NOTHING, committed: ['t1'] });
  });

  it('given another coordinator that shares a participant, is not given up while that coordinator works on it', async () => {
    await lostDatabase();
    const stop = world.coordinator.keepRecovering();
    await world.pass(IN_DOUBT_AFTER_MS / 2);
    expect([world.coordinator.find('t1'), world.log.entries]).toEqual([undefined, []]);
    await world.pass(IN_DOUBT_AFTER_MS);
    expect(world.coordinator.find('t1')?.state).toBe('unmatched');
    for (const each of world.participants) await each.commit('t1');
    await world.coordinator.recoverNow();
    stop();

    expect(world.coordinator.find('t1')).toBeUndefined();
  });
});

describe('an operator', () => {
  it.each([
    ['committed', [['x'], ['x']]],
    ['aborted', [[], []]],
  ] as const)(
    'may decide %s: the row is written first, then the participants are notified, and the log says who decided and why',
    async (decision, left) => {
      await lostDatabase();
      await world.coordinator.recoverAtStart();
      await world.coordinator.resolve('t1', decision, BY);

      expect([await inDoubt(), names()]).toEqual([[], left]);
      expect(world.sqlDisk.rows.get('t1')).toMatchObject({
        ...{ decision, by: 'operator', reason: 'ops: the old disk is lost', decidedBy: 'sql-1' },
      });
      expect(world.sqlDisk.rows.get('t1')?.completedAtMs).toBeDefined();
      expect(world.done.slice(-3, -2)).toEqual([`sql resolved t1: wrote ${decision}`]);
      expect(world.log.entries).toContainEqual({
        level: 'info',
        message: 'an operator decided a transaction',
        details: { transaction: 't1', kind: 'naming', decision, by: 'ops', reason: 'the old disk is lost' },
      });
      expect(world.coordinator.find('t1')).toMatchObject({ state: decision, reason: 'ops: the old disk is lost' });
    },
  );

  it('that repeats a decision changes nothing; that contradicts it, is refused', async () => {
    await lostDatabase();
    await world.coordinator.resolve('t1', 'aborted', BY);
    const rows = [...world.sqlDisk.rows.values()];
    await world.coordinator.resolve('t1', 'aborted', BY);

    await expect(world.coordinator.resolve('t1', 'committed', BY)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Transaction t1 is aborted already.',
    });
    expect([...world.sqlDisk.rows.values()]).toEqual(rows);
  });

  it('is refused when a participant has carried out the opposite decision', async () => {
    await dieAfter('a committed');
    world.sqlDisk = new LastResourceDisk('sql-2');
    world.start();

    await expect(world.coordinator.resolve('t1', 'aborted', BY)).rejects.toMatchObject({ code: 'conflict' });
    expect(world.sqlDisk.rows.size).toBe(0);
    await world.coordinator.resolve('t1', 'committed', BY);
    expect(names()).toEqual([['x'], ['x']]);
  });

  it('may not commit a transaction that this database decides and has not committed, but may abort it', async () => {
    await dieAfter('b prepared');
    world.start();

    await expect(world.coordinator.resolve('t1', 'committed', BY)).rejects.toMatchObject({ code: 'conflict' });
    expect([world.sqlDisk.rows.size, await inDoubt()]).toEqual([0, ['t1', 't1']]);
    await world.coordinator.resolve('t1', 'aborted', BY);
    expect(await inDoubt()).toEqual([]);
  });

  it('may not abort a transaction whose row says committed', async () => {
    await dieAfter('sql committed');
    world.start();

    await expect(world.coordinator.resolve('t1', 'aborted', BY)).rejects.toMatchObject({ code: 'conflict' });
    expect(await world.coordinator.recoverNow()).toEqual({ ...NOTHING, committed: ['t1'] });
  });

  it('may not decide a transaction that is under way or unknown', async () => {
    world.hold('sql', 'commit');
    void world.answerTo('x');
    await world.settled();

    await expect(world.coordinator.resolve('t1', 'aborted', BY)).rejects.toMatchObject({
      code: 'conflict',
      retry: 'safe',
    });
    await expect(world.coordinator.resolve('t9', 'aborted', BY)).rejects.toMatchObject({ code: 'not-found' });
    world.release('sql', 'commit');
    await world.settled();
    expect(names()).toEqual([['x'], ['x']]);
  });

  it('decides even if a participant cannot be notified yet', async () => {
    await lostDatabase();
    world.fail('b', 'commit', FULL);
    await world.coordinator.resolve('t1', 'committed', BY);
    expect([names(), world.coordinator.find('t1')?.state]).toEqual([[['x'], []], 'committing']);
    world.heal('b', 'commit');
    const stop = world.coordinator.keepRecovering();
    await world.pass(IN_DOUBT_AFTER_MS / 5);
    stop();

    expect([names(), world.coordinator.find('t1')?.state]).toEqual([[['x'], ['x']], 'committed']);
  });

  it('has decided once the row is written: after a crash the next incarnation carries it out', async () => {
    await lostDatabase();
    world.lastStep = 'sql resolved';
    void world.coordinator.resolve('t1', 'committed', BY);
    await world.settled();
    world.start();

    expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, committed: ['t1'] });
    expect(names()).toEqual([['x'], ['x']]);
  });
});
