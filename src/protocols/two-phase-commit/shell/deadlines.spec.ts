import { beforeEach, describe, expect, it } from '@jest/globals';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { Deadlines } from './deadlines.js';

const LENGTH_MS = 1_000;

describe('deadlines of one length', () => {
  let timers: SimulatedTimers;
  let over: string[];
  let deadlines: Deadlines<string>;

  beforeEach(() => {
    timers = new SimulatedTimers();
    over = [];
    deadlines = new Deadlines(timers, LENGTH_MS, (name) => over.push(name));
  });

  it('are over when the length has passed, and at most a tenth of it later', () => {
    deadlines.add('first');
    timers.pass(450);
    deadlines.add('second');
    timers.pass(549);
    expect(over).toEqual([]);
    timers.pass(1);
    expect(over).toEqual(['first']);
    timers.pass(449);
    expect(over).toEqual(['first']);
    timers.pass(101);
    expect(over).toEqual(['first', 'second']);
  });

  it('that are taken out in time, are never over', () => {
    for (const name of ['a', 'b', 'c']) deadlines.add(name);
    deadlines.delete('b');
    timers.pass(LENGTH_MS * 1.1);
    expect(over).toEqual(['a', 'c']);
  });

  it('take one timer for all of them, and none when nobody waits', () => {
    for (const name of ['a', 'b', 'c']) deadlines.add(name);
    expect(timers.pending).toBe(1);
    for (const name of ['a', 'b', 'c']) deadlines.delete(name);
    timers.pass(LENGTH_MS);
    expect(timers.pending).toBe(0);
    deadlines.add('later');
    timers.pass(LENGTH_MS);
    expect(over).toEqual(['later']);
  });
});
