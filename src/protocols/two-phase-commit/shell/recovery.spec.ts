import { beforeEach, describe, expect, it } from '@jest/globals';
import { FULL, IN_DOUBT_AFTER_MS, TransactionWorld, UNKNOWN } from '../../../../test/support/transaction-world.js';

/** Recovery sweeps five times in this period. */
const ONE_SWEEP_MS = IN_DOUBT_AFTER_MS / 5;

let world: TransactionWorld;

const inDoubt = async (): Promise<string[]> =>
  (await Promise.all(world.participants.map((each) => each.inDoubt()))).flat().map(({ id }) => id);
const names = (): readonly (readonly string[])[] => [
  ...[...world.disks.values()].map((disk) => disk.names),
  world.sqlDisk.names,
];
/** Begins `work` and lets the process die when `who` has just done `step`. */
const dieAfter = async (step: string, work = 'x'): Promise<void> => {
  world.lastStep = step;
  void world.execute(work);
  await world.settled();
};
const NOTHING = { committed: [], aborted: [], unmatched: [], failed: [] };

beforeEach(() => {
  world = new TransactionWorld();
});

describe('recovery at the start', () => {
  it('aborts a transaction without a row, and writes the row first', async () => {
    await dieAfter('b prepared');
    world.start();

    expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, aborted: ['t1'] });
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({
      decision: 'aborted',
      by: 'recovery',
      positions: { a: '1', b: '1' },
    });
    expect(world.done.slice(-3)).toEqual([
      'sql vetoed t1: wrote aborted',
      'a aborted t1: abort',
      'b aborted t1: abort',
    ]);
    expect([await inDoubt(), names()]).toEqual([[], [[], [], []]]);
  });

  it('commits a transaction whose row says committed', async () => {
    await dieAfter('sql committed');
    world.start();

    expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, committed: ['t1'] });
    expect([await inDoubt(), names()]).toEqual([[], [['x'], ['x'], ['x']]]);
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({ by: 'coordinator', completedAtMs: 1 });
    expect(world.coordinator.find('t1')).toMatchObject({
      state: 'committed',
      history: [{ phase: 'found-in-doubt' }, { phase: 'committed', detail: 'recovery' }],
    });
  });

  it('completes transactions that some participants, or all of them unnoticed, had carried out', async () => {
    await dieAfter('a committed');
    world.start();
    expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, committed: ['t1'] });
    expect(names()).toEqual([['x'], ['x'], ['x']]);

    await dieAfter('b committed', 'y');
    world.start();
    expect(await world.coordinator.recoverAtStart()).toEqual({ ...NOTHING, committed: ['t2'] });
    expect(names()).toEqual([
      ['x', 'y'],
      ['x', 'y'],
      ['x', 'y'],
    ]);
    expect(await world.lastResource.incomplete()).toEqual([]);
  });

  it('given only completed transactions, has nothing to do', async () => {
    await world.execute('x');
    world.start();

    expect(await world.coordinator.recoverAtStart()).toEqual(NOTHING);
  });

  it('offers a thousand transactions in one request, notifies all participants at once, and reports the transactions', async () => {
    world.hold('sql', 'commit');
    for (let i = 0; i < 1_000; i += 1) void world.answerTo(`x${i}`);
    await world.settled();
    world.start();
    world.hold('a', 'abort');
    const recovering = world.coordinator.recoverAtStart();
    await world.settled();

    expect(world.sites.filter((site) => site === '2pc.recovery.decide.before').length).toBe(1);
    expect(world.sites.filter((site) => site === '2pc.recovery.abort.before').length).toBe(2_000);
    world.release('a', 'abort');
    expect((await recovering).aborted.length).toBe(1_000);
    expect(world.coordinator.live().length).toBe(1_000);
  });

  it('given rows that cannot be written, obeys the existing rows and leaves the other transactions in doubt', async () => {
    await dieAfter('sql committed', 'x');
    world.start();
    await dieAfter('b prepared', 'y');
    world.start();
    world.fail('sql', 'veto', FULL);

    expect(await world.coordinator.recoverAtStart()).toEqual({
      ...NOTHING,
      committed: ['t1'],
      failed: [{ id: 't2', error: FULL.message }],
    });
    expect([await inDoubt(), world.sqlDisk.rows.has('t2')]).toEqual([['t2', 't2'], false]);
    world.heal('sql', 'veto');
    expect(await world.coordinator.recoverNow()).toEqual({ ...NOTHING, aborted: ['t2'] });
  });

  it('given rows of unknown outcome, notifies no participant', async () => {
    await dieAfter('sql committed');
    world.start();
    world.fail('sql', 'vetoed', UNKNOWN);

    expect(await world.coordinator.recoverAtStart()).toMatchObject({ failed: [{ id: 't1', error: UNKNOWN.message }] });
  });

  it('given an unreachable participant, notifies the others now and that one later', async () => {
    await dieAfter('sql committed');
    world.start();
    world.fail('b', 'commit', FULL);

    expect(await world.coordinator.recoverAtStart()).toEqual({
      ...NOTHING,
      failed: [{ id: 't1', error: `b could not be notified: ${FULL.message}` }],
    });
    expect([names(), world.coordinator.find('t1')?.state]).toEqual([[['x'], [], ['x']], 'committing']);
    world.heal('b', 'commit');
    expect(await world.coordinator.recoverNow()).toEqual({ ...NOTHING, committed: ['t1'] });
    expect(world.coordinator.find('t1')?.state).toBe('committed');
  });

  it('given a commit that the database does not know, refuses to start and changes nothing', async () => {
    const older = world.sqlDisk.copy();
    await world.execute('x');
    await dieAfter('b prepared', 'y');
    world.sqlDisk = older;
    world.start();

    await expect(world.coordinator.recoverAtStart()).rejects.toMatchObject({
      code: 'recovery-needed',
      message: expect.stringContaining('a has committed naming t1, which the database does not know') as unknown,
    });
    expect([await inDoubt(), world.sqlDisk.rows.size]).toEqual([['t2', 't2'], 0]);
  });

  it('given a committed row that a participant never promised, refuses to start', async () => {
    const older = world.disks.get('b')!.copy();
    await dieAfter('sql committed');
    world.disks.set('b', older);
    world.start();

    await expect(world.coordinator.recoverAtStart()).rejects.toMatchObject({
      code: 'recovery-needed',
      message:
        'The stores are at different points in time; one is an older copy: the database has committed naming t1, which b does not know.',
    });
    expect(names()).toEqual([[], [], ['x']]);
  });
});

describe('recovery while running', () => {
  const recovering = async (ms: number): Promise<void> => {
    const stop = world.coordinator.keepRecovering();
    await world.pass(ms);
    stop();
  };

  it('aborts a transaction only after it has been in doubt for the whole period', async () => {
    world.hold('sql', 'commit');
    void world.answerTo('x');
    await recovering(IN_DOUBT_AFTER_MS);
    expect(world.sqlDisk.rows.size).toBe(0);

    await recovering(2 * ONE_SWEEP_MS);
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({ decision: 'aborted', by: 'recovery' });
    expect(await inDoubt()).toEqual([]);
  });

  it('given a clock that is set forward, measures only the elapsed time', async () => {
    world.hold('sql', 'commit');
    void world.answerTo('x');
    await world.settled();
    world.clock.advance(10 * IN_DOUBT_AFTER_MS);
    await recovering(2 * ONE_SWEEP_MS);

    expect(world.sqlDisk.rows.size).toBe(0);
  });

  it('takes over at once a transaction that its coordinator gave up', async () => {
    world.fail('sql', 'committed', UNKNOWN);
    await world.answerTo('x');
    world.heal('sql', 'committed');
    await recovering(ONE_SWEEP_MS);

    expect([names(), world.coordinator.find('t1')?.state]).toEqual([[['x'], ['x'], ['x']], 'committed']);
  });

  it('notifies an unreachable participant again until it succeeds', async () => {
    world.fail('b', 'commit', FULL);
    await world.answerTo('x');
    await recovering(2 * ONE_SWEEP_MS);
    expect(names()).toEqual([['x'], [], ['x']]);
    world.heal('b', 'commit');
    await recovering(ONE_SWEEP_MS);

    expect([names(), world.coordinator.find('t1')?.state]).toEqual([[['x'], ['x'], ['x']], 'committed']);
    expect(await world.lastResource.incomplete()).toEqual([]);
  });

  it('discovers that a participant had carried out the decision although its acknowledgement was lost', async () => {
    world.fail('b', 'committed', new Error('connection reset'));
    world.fail('b', 'aborted', new Error('connection reset'));
    expect(await world.answerTo('x')).toBe('pending');
    world.fail('sql', 'commit', FULL);
    world.fail('sql', 'veto', FULL);
    expect(await world.answerTo('y')).toBe(`storage-full: ${FULL.message}`);
    expect(['t1', 't2'].map((id) => world.coordinator.find(id)?.state)).toEqual(['committing', 'aborting']);
    world.heal('b', 'committed');
    await recovering(ONE_SWEEP_MS);

    expect(['t1', 't2'].map((id) => world.coordinator.find(id)?.state)).toEqual(['committed', 'aborted']);
    expect(names()).toEqual([['x'], ['x'], ['x']]);
  });

  it('given a participant that hangs, continues with the others and notifies it when it answers again', async () => {
    world.fail('sql', 'committed', UNKNOWN);
    await world.answerTo('x');
    world.heal('sql', 'committed');
    world.hold('b', 'commit');
    const stop = world.coordinator.keepRecovering();
    await world.pass(ONE_SWEEP_MS + IN_DOUBT_AFTER_MS);
    expect([names(), world.log.warnings.at(-1)]).toEqual([
      [['x'], [], ['x']],
      'a participant could not be notified of a decision',
    ]);
    world.release('b', 'commit');
    await world.pass(ONE_SWEEP_MS);
    stop();

    expect([names(), world.coordinator.find('t1')?.state]).toEqual([[['x'], ['x'], ['x']], 'committed']);
    expect(world.timers.pending).toBe(0);
  });

  it('given a transaction that ends while recovery asks the participants, does not treat it as abandoned', async () => {
    world.hold('sql', 'commit');
    const answer = world.answerTo('x');
    await world.settled();
    const [a] = world.participants;
    const stale = await a!.inDoubt();
    const isAnswered = answer.then(() => stale);
    Object.assign(a!, { inDoubt: () => isAnswered });
    const recovered = world.coordinator.recoverNow();
    world.release('sql', 'commit');

    expect([await answer, await recovered]).toEqual(['committed', NOTHING]);
    expect([world.log.entries, world.done.filter((line) => line.includes('found'))]).toEqual([[], []]);
  });

  it('given no transaction in doubt, writes nothing and logs nothing', async () => {
    await world.execute('x');
    world.sites.length = 0;
    await recovering(3 * ONE_SWEEP_MS);

    expect([world.sites, world.log.entries]).toEqual([[], []]);
  });

  it('continues after a sweep has failed', async () => {
    world.fail('sql', 'committed', UNKNOWN);
    await world.answerTo('x');
    const [a] = world.participants;
    const inDoubtOf = a!.inDoubt.bind(a);
    Object.assign(a!, { inDoubt: () => Promise.reject(new Error('disk gone')) });
    await recovering(ONE_SWEEP_MS);
    expect(world.log.entries.at(-1)).toMatchObject({
      message: 'a recovery has failed',
      details: { error: 'disk gone' },
    });
    Object.assign(a!, { inDoubt: inDoubtOf });
    await recovering(ONE_SWEEP_MS);

    expect(names()).toEqual([['x'], ['x'], ['x']]);
  });

  it('leaves no timer behind when it is stopped', async () => {
    await recovering(ONE_SWEEP_MS);

    expect(world.timers.pending).toBe(0);
  });
});
