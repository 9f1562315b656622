import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryParticipant } from '../../../../test/support/memory-participant.js';
import {
  ANSWER_DEADLINE_MS,
  FULL,
  IN_DOUBT_AFTER_MS,
  PREPARE_DEADLINE_MS,
  TransactionWorld,
  UNKNOWN,
} from '../../../../test/support/transaction-world.js';
import { branch } from './transaction.js';

const DEADLINE_AT_MOST = 1.1;

describe('a coordinator', () => {
  let world: TransactionWorld;
  const namesOf = (who: string): readonly string[] => world.disks.get(who)?.names ?? [];
  const phases = (id = 't1'): string[] =>
    (world.coordinator.find(id)?.history ?? []).map(({ phase, participant }) =>
      participant === undefined ? phase : `${phase} ${participant}`,
    );

  beforeEach(() => {
    world = new TransactionWorld();
  });

  it('commits in all stores, and answers with the result and the acknowledgement of each participant', async () => {
    expect(await world.execute('x')).toEqual({
      state: 'committed',
      id: 't1',
      result: 'x',
      acknowledgements: { a: { position: '2', outcome: { names: 1 } }, b: { position: '2', outcome: { names: 1 } } },
    });
    expect([namesOf('a'), namesOf('b'), world.sqlDisk.names]).toEqual([['x'], ['x'], ['x']]);
    expect(world.coordinator.find('t1')).toMatchObject({
      kind: 'naming',
      state: 'committed',
      operationId: 'op-x',
      participants: [
        { name: 'a', state: 'committed' },
        { name: 'b', state: 'committed' },
      ],
    });
    expect(phases()).toEqual(
      'prepare a,prepare b,promised a,promised b,decide,committed,told a,told b,completed'.split(','),
    );
  });

  it.each(['a"b', 'a\\b', 'a\nb'])(
    'given a participant named %j, which JSON has to escape, throws when it is constructed',
    (name) => {
      expect(() => new TransactionWorld([name])).toThrow(/^A participant is named /);
    },
  );

  it('gives the last resource the promises, the operation and, at the end, the acknowledgements', async () => {
    await world.execute('x');

    expect([...world.sqlDisk.rows.values()]).toEqual([
      expect.objectContaining({
        ...{ id: 't1', kind: 'naming', decision: 'committed', by: 'coordinator', operationId: 'op-x' },
        ...{
          decidedBy: 'sql-1',
          incarnation: world.lastResource.incarnation,
          positions: { a: '1', b: '1' },
          completedAtMs: 1,
        },
        acknowledgements: { a: { position: '2', outcome: { names: 1 } }, b: { position: '2', outcome: { names: 1 } } },
      }),
    ]);
  });

  it('given many transactions at once, asks for all their promises before it waits for any', async () => {
    world.hold('a', 'prepare');
    const begun = world.sites.length;
    const all = Promise.all(Array.from({ length: 50 }, (_, index) => world.answerTo(`x${index}`)));

    expect(world.sites.slice(begun)).toEqual(Array(100).fill('2pc.prepare.before'));
    world.release('a', 'prepare');
    expect(await all).toEqual(Array(50).fill('committed'));
    expect(namesOf('a').length).toBe(50);
  });

  it('given one slow transaction, does not delay the others', async () => {
    world.hold('sql', 'commit', 't1');
    const slow = world.answerTo('x');

    expect(await world.answerTo('y')).toBe('committed');
    world.release('sql', 'commit', 't1');
    expect(await slow).toBe('committed');
  });

  it('given a no, notifies the participants that promised, rejects with its reason, and nothing is stored', async () => {
    world.disks.get('b')?.names.push('x');

    expect(await world.answerTo('x')).toBe('conflict: x is taken');
    expect([namesOf('a'), world.sqlDisk.names]).toEqual([[], []]);
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({
      decision: 'aborted',
      positions: { a: '1' },
      reason: 'x is taken',
    });
    expect(world.sqlDisk.rows.get('t1')?.completedAtMs).toBeDefined();
    expect(phases()).toEqual('prepare a,prepare b,promised a,refused b,veto,aborted,told a,completed'.split(','));
  });

  it('given a no by all participants, writes no row and notifies no participant', async () => {
    for (const disk of world.disks.values()) disk.names.push('x');

    expect(await world.answerTo('x')).toBe('conflict: x is taken');
    expect([world.sqlDisk.rows.size, world.sites.filter((site) => site.includes('abort'))]).toEqual([0, []]);
  });

  it('given a participant that is silent until the deadline, rejects, and that participant refuses the late prepare', async () => {
    world.hold('b', 'prepare');
    const answer = world.answerTo('x');
    await world.pass(PREPARE_DEADLINE_MS * DEADLINE_AT_MOST);

    expect(await answer).toBe('not-ready: b did not answer within 1000 ms; nothing was written');
    world.release('b', 'prepare');
    await world.settled();
    expect(await Promise.all(world.participants.map((each) => each.inDoubt()))).toEqual([[], []]);
    expect(await world.answerTo('x')).toBe('committed');
  });

  it('given a promise whose answer is lost, rejects and aborts the promise', async () => {
    world.fail('b', 'prepared', new Error('connection reset'));

    expect(await world.answerTo('x')).toBe('not-ready: b could not promise (connection reset); nothing was written');
    expect(await Promise.all(world.participants.map((each) => each.inDoubt()))).toEqual([[], []]);
  });

  it('given a refusal by the last resource, rejects with that refusal, and nothing is stored', async () => {
    world.sqlDisk.names.push('x');

    expect(await world.answerTo('x')).toBe('conflict: x is taken');
    expect([namesOf('a'), namesOf('b')]).toEqual([[], []]);
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({ decision: 'aborted', by: 'coordinator' });
  });

  it('given a last resource that cannot write, aborts without a row', async () => {
    world.fail('sql', 'commit', FULL);
    world.fail('sql', 'veto', FULL);

    expect(await world.answerTo('x')).toBe(`storage-full: ${FULL.message}`);
    expect(await Promise.all(world.participants.map((each) => each.inDoubt()))).toEqual([[], []]);
    expect(world.sqlDisk.rows.size).toBe(0);
    expect(phases()).toEqual(expect.arrayContaining(['not-written', 'veto', 'told a', 'told b']));
  });

  it('given a decision after the deadline, answers that the transaction is running, and carries the decision out later', async () => {
    world.hold('sql', 'commit');
    const answer = world.answerTo('x');
    await world.pass(ANSWER_DEADLINE_MS * DEADLINE_AT_MOST);

    expect(await answer).toBe('running');
    expect(world.coordinator.find('t1')?.state).toBe('in-doubt');
    world.release('sql', 'commit');
    await world.settled();
    expect([world.coordinator.find('t1')?.state, namesOf('a')]).toEqual(['committed', ['x']]);
  });

  it('given a participant that acknowledges slowly, answers in time that the transaction is committed', async () => {
    world.hold('b', 'commit');
    const answer = world.execute('x');
    await world.pass(ANSWER_DEADLINE_MS * DEADLINE_AT_MOST);

    expect(await answer).toEqual({ state: 'pending', id: 't1', result: 'x' });
    world.release('b', 'commit');
    await world.settled();
    expect([world.coordinator.find('t1')?.state, namesOf('b')]).toEqual(['committed', ['x']]);
  });

  it('given a participant that cannot be notified, answers that the transaction is committed, and warns', async () => {
    world.fail('b', 'commit', FULL);

    expect(await world.execute('x')).toEqual({ state: 'pending', id: 't1', result: 'x' });
    expect(world.coordinator.find('t1')).toMatchObject({
      state: 'committing',
      participants: [{ state: 'committed' }, { state: 'untold' }],
    });
    expect(world.log.warnings).toEqual(['a participant could not be notified of a decision']);
    expect(world.sqlDisk.rows.get('t1')?.completedAtMs).toBeUndefined();
  });

  it('given an unknown outcome, rejects with outcome-unknown and notifies no participant', async () => {
    world.fail('sql', 'committed', UNKNOWN);

    expect(await world.answerTo('x')).toBe('outcome-unknown: no answer to COMMIT');
    expect(world.coordinator.find('t1')?.state).toBe('in-doubt');
    expect((await world.participants[0]?.inDoubt())?.length).toBe(1);
    expect(world.log.warnings).toEqual(['the outcome of a transaction is not known']);
  });

  it('given a recovery that decided first, obeys the row and rejects', async () => {
    world.hold('sql', 'commit');
    const answer = world.answerTo('x');
    const stop = world.coordinator.keepRecovering();
    await world.pass(IN_DOUBT_AFTER_MS * 1.5);
    stop();
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({ decision: 'aborted', by: 'recovery' });
    world.release('sql', 'commit');
    await world.settled();

    expect(await answer).toBe('running');
    expect(world.coordinator.find('t1')).toMatchObject({ state: 'aborted' });
    expect([namesOf('a'), world.sqlDisk.names]).toEqual([[], []]);
  });

  it('logs an abort after a promise: as information after a refused request, as a warning after a failure', async () => {
    world.sqlDisk.names.push('x');
    await world.answerTo('x');
    world.fail('sql', 'commit', FULL);
    await world.answerTo('y');

    expect(world.log.entries).toEqual([
      {
        level: 'info',
        message: 'a transaction was aborted after a promise',
        details: { transaction: 't1', kind: 'naming', reason: 'x is taken' },
      },
      {
        level: 'warn',
        message: 'a transaction was aborted after a promise',
        details: { transaction: 't2', kind: 'naming', reason: FULL.message },
      },
    ]);
  });

  it('given a commit without problems, logs nothing', async () => {
    await world.execute('x');

    expect(world.log.entries).toEqual([]);
  });

  it('remembers the last thousand transactions that ended, and all that have not', async () => {
    world.fail('b', 'commit', FULL);
    await world.execute('open');
    world.heal('b', 'commit');
    for (let i = 0; i < 1_001; i += 1) await world.execute(`x${i}`);
    const views = world.coordinator.live();

    expect([views.length, views[0]?.id, views.at(-1)?.id]).toEqual([1_001, 't3', 't1']);
    expect([world.coordinator.find('t2'), world.coordinator.find('t3')?.state]).toEqual([undefined, 'committed']);
  });

  it('given no transaction under way, leaves no timer behind', async () => {
    await world.execute('x');
    await world.pass(ANSWER_DEADLINE_MS);

    expect(world.timers.pending).toBe(0);
  });

  it('given no branches, commits the work with its row', async () => {
    const outcome = await world.coordinator.execute({ kind: 'alone', branches: [], decide: 'x' });
    await world.pass(ANSWER_DEADLINE_MS);

    expect([outcome.state, world.sqlDisk.names, phases()]).toEqual([
      'committed',
      ['x'],
      ['decide', 'committed', 'completed'],
    ]);
  });

  it('refuses a participant that recovery does not know, and a participant that takes part twice', async () => {
    const stranger = branch(new MemoryParticipant('a'), 'x');
    const own = branch(world.participants[0]!, 'x');

    const of = (...branches: (typeof own)[]): Promise<unknown> =>
      world.coordinator.execute({ kind: 'naming', branches, decide: 'x' });
    await expect(of(stranger)).rejects.toThrow('Recovery does not know a.');
    await expect(of(own, own)).rejects.toThrow('A participant takes part twice: a, a.');
    expect(world.coordinator.live()).toEqual([]);
  });
});
