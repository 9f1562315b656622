import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  ANSWER_DEADLINE_MS,
  FULL,
  IN_DOUBT_AFTER_MS,
  TransactionWorld,
} from '../../../../test/support/transaction-world.js';

const CLOSE_WITHIN_MS = 10_000;

describe('the end of a transaction', () => {
  let world: TransactionWorld;
  const settlement = (promise: Promise<void>): { isSettled: boolean } => {
    const watched = { isSettled: false };
    void promise.then(() => (watched.isSettled = true));
    return watched;
  };

  beforeEach(() => {
    world = new TransactionWorld();
  });

  it('is reported once, with the decision', async () => {
    await world.answerTo('x');
    await world.answerTo('x');

    expect(world.ended).toEqual(['t1 committed', 't2 aborted']);
  });

  it('that a recovery brings about, is reported then', async () => {
    world.fail('a', 'commit', FULL);
    expect(await world.answerTo('x')).toBe('pending');
    expect(world.ended).toEqual([]);
    world.heal('a', 'commit');
    await world.coordinator.recoverNow();

    expect(world.ended).toEqual(['t1 committed']);
  });

  it('can be awaited after the answer "still running"', async () => {
    world.hold('sql', 'commit');
    const answer = world.execute('x');
    await world.pass(ANSWER_DEADLINE_MS + ANSWER_DEADLINE_MS / 10);
    const outcome = await answer;
    const end = settlement(outcome.state === 'running' ? outcome.ended : Promise.resolve());
    await world.settled();
    expect([outcome.state, end.isSettled]).toEqual(['running', false]);
    world.release('sql', 'commit');
    await world.settled();

    expect([end.isSettled, world.ended]).toEqual([true, ['t1 committed']]);
  });

  it('of all transactions under way is awaited by draining', async () => {
    const idle = settlement(world.coordinator.drained(CLOSE_WITHIN_MS));
    await world.settled();
    expect(idle.isSettled).toBe(true);

    world.hold('sql', 'commit', 't1');
    world.hold('sql', 'commit', 't2');
    const answers = [world.execute('x'), world.execute('y')];
    await world.settled();
    const drained = settlement(world.coordinator.drained(CLOSE_WITHIN_MS));
    world.release('sql', 'commit', 't1');
    await world.settled();
    expect(drained.isSettled).toBe(false);
    world.release('sql', 'commit', 't2');
    await Promise.all(answers);
    await world.settled();

    expect(drained.isSettled).toBe(true);
  });

  it('of a recovery is awaited by draining', async () => {
    world.hold('sql', 'commit');
    void world.answerTo('x');
    await world.settled();
    world.start();
    world.hold('sql', 'veto');
    const recovery = world.coordinator.recoverAtStart();
    await world.settled();
    const drained = settlement(world.coordinator.drained(CLOSE_WITHIN_MS));
    await world.settled();
    expect(drained.isSettled).toBe(false);
    world.release('sql', 'veto');
    expect((await recovery).aborted).toEqual(['t1']);
    await world.settled();

    expect([drained.isSettled, world.timers.pending]).toEqual([true, 0]);
  });

  it('that does not come is awaited no longer than draining may take', async () => {
    world.hold('sql', 'commit');
    void world.execute('x');
    await world.settled();
    const drained = settlement(world.coordinator.drained(CLOSE_WITHIN_MS));
    await world.pass(CLOSE_WITHIN_MS - IN_DOUBT_AFTER_MS);
    expect(drained.isSettled).toBe(false);
    await world.pass(IN_DOUBT_AFTER_MS);

    expect(drained.isSettled).toBe(true);
  });
});
