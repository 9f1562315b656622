import { beforeEach, describe, expect, it } from '@jest/globals';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { Confirmations } from './confirmations.js';

const DEADLINE_MS = 2_000;
const LOOK_EVERY_MS = DEADLINE_MS / 50;

describe('a write that waits for replicas', () => {
  let timers: SimulatedTimers;
  let confirmations: Confirmations;
  const outcomes: string[] = [];
  const wait = (seq: number, concern: 'all' | 'majority' = 'all'): void => {
    void confirmations.wait(seq, concern).then((isConfirmed) => outcomes.push(`${String(seq)} ${String(isConfirmed)}`));
  };
  const settled = async (): Promise<readonly string[]> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return outcomes;
  };

  beforeEach(() => {
    timers = new SimulatedTimers();
    confirmations = new Confirmations(timers, DEADLINE_MS);
    outcomes.length = 0;
  });

  it('is confirmed under its own concern only', async () => {
    wait(5, 'all');
    wait(5, 'majority');
    confirmations.confirm({ all: 4, majority: 5 });
    expect(await settled()).toEqual(['5 true']);
    confirmations.confirm({ all: 7, majority: 7 });
    expect(await settled()).toEqual(['5 true', '5 true']);
  });

  it('that is confirmed already does not wait', async () => {
    confirmations.confirm({ all: 9, majority: 9 });
    wait(9);
    expect(await settled()).toEqual(['9 true']);
  });

  it('among others, is confirmed in the order of the numbers, whichever began to wait first', async () => {
    wait(8);
    wait(6);
    wait(7);
    confirmations.confirm({ all: 7, majority: 7 });
    expect(await settled()).toEqual(['6 true', '7 true']);
  });

  it('is given up at its deadline, and later writes continue to wait', async () => {
    wait(1);
    timers.pass(DEADLINE_MS / 2);
    wait(2);
    timers.pass(DEADLINE_MS / 2);
    expect(await settled()).toEqual(['1 false']);
    confirmations.confirm({ all: 2, majority: 2 });
    expect(await settled()).toEqual(['1 false', '2 true']);
  });

  it('with a deadline of its own, is given up no later than that, however many others wait longer', async () => {
    wait(1);
    timers.pass(DEADLINE_MS / 20);
    void confirmations.wait(2, 'all', DEADLINE_MS / 2).then((isConfirmed) => outcomes.push(`2 ${String(isConfirmed)}`));
    timers.pass(DEADLINE_MS / 2 - LOOK_EVERY_MS - 1);
    expect(await settled()).toEqual([]);
    timers.pass(LOOK_EVERY_MS + 1);
    expect(await settled()).toEqual(['2 false']);
    timers.pass(DEADLINE_MS / 2);
    expect(await settled()).toEqual(['2 false', '1 false']);
  });

  it('among others, is given up at most one check after its deadline', async () => {
    wait(1);
    timers.pass(1);
    wait(2);
    timers.pass(DEADLINE_MS - 1);
    expect(await settled()).toEqual(['1 false']);
    timers.pass(LOOK_EVERY_MS);
    expect(await settled()).toEqual(['1 false', '2 false']);
  });

  it('leaves no timer behind once it is settled', async () => {
    wait(1);
    confirmations.confirm({ all: 1, majority: 1 });
    await settled();
    timers.pass(DEADLINE_MS);
    expect(timers.pending).toBe(0);
  });
});
