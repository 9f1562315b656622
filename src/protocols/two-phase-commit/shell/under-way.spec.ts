import { beforeEach, describe, expect, it } from '@jest/globals';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { UnderWay, type UnderWayRun } from './under-way.js';

const PREPARE_MS = 1_000;
const ANSWER_MS = 2_000;

describe('the transactions under way', () => {
  let timers: SimulatedTimers;
  let heard: string[];
  let underWay: UnderWay<UnderWayRun>;
  const run = (id: string): UnderWayRun => ({
    head: { id },
    prepareOverdue: (afterMs) => heard.push(`${id} prepare ${afterMs}`),
    answerOverdue: () => heard.push(`${id} answer`),
  });

  beforeEach(() => {
    timers = new SimulatedTimers();
    heard = [];
    underWay = new UnderWay(timers, PREPARE_MS, ANSWER_MS);
  });

  it('are notified of each deadline when it has passed, at most a tenth of the shorter one later', () => {
    underWay.add(run('t1'));
    timers.pass(450);
    underWay.add(run('t2'));
    timers.pass(549);
    expect(heard).toEqual([]);
    timers.pass(1);
    expect(heard).toEqual(['t1 prepare 1000']);
    timers.pass(449);
    expect(heard.length).toBe(1);
    timers.pass(101);
    expect(heard).toEqual(['t1 prepare 1000', 't2 prepare 1000']);
    timers.pass(1_000);
    expect(heard.slice(2)).toEqual(['t1 answer', 't2 answer']);
  });

  it('are not notified after they have ended, even when the first deadline ends them', () => {
    const slots = ['t1', 't2'].map((id) => underWay.add(run(id)));
    underWay.delete(slots[1]!);
    const last = underWay.add({
      ...run('t3'),
      prepareOverdue: () => {
        underWay.delete(last);
      },
    });
    timers.pass(2 * ANSWER_MS);

    expect(heard).toEqual(['t1 prepare 1000', 't1 answer']);
  });

  it('share one timer; without transactions there is no timer', () => {
    const slots = ['t1', 't2', 't3'].map((id) => underWay.add(run(id)));
    expect(timers.pending).toBe(1);
    for (const slot of slots) underWay.delete(slot);
    timers.pass(PREPARE_MS);
    expect(timers.pending).toBe(0);
  });

  it('may begin and end in any order, and can be found until they end', () => {
    const slots = new Map(['t1', 't2', 't3'].map((id) => [id, underWay.add(run(id))]));
    underWay.delete(slots.get('t2')!);
    underWay.delete(slots.get('t2')!);
    for (const id of ['t4', 't5']) slots.set(id, underWay.add(run(id)));

    expect([...underWay.ids()].sort()).toEqual(['t1', 't3', 't4', 't5']);
    expect([underWay.find('t2'), underWay.find('t4')?.head.id]).toEqual([undefined, 't4']);
    expect(new Set(slots.values()).size).toBe(4);
  });
});
