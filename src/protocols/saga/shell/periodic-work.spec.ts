import { beforeEach, describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { PeriodicWork } from './periodic-work.js';

const settled = (): Promise<void> => new Promise(setImmediate);

describe('work that is done every ten seconds', () => {
  let timers: SimulatedTimers;
  let log: RecordingLog;
  let ends: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
  let periodic: PeriodicWork;

  beforeEach(() => {
    timers = new SimulatedTimers();
    log = new RecordingLog();
    ends = [];
    periodic = new PeriodicWork({ timers, log }, 'the work', 10_000, () => {
      return new Promise((resolve, reject) => ends.push({ resolve, reject }));
    });
    periodic.start();
  });

  it('is done for the first time after ten seconds, and again ten seconds after its end', async () => {
    timers.pass(9_999);
    expect(ends).toHaveLength(0);
    timers.pass(1);
    expect([ends.length, timers.pending]).toEqual([1, 0]);
    ends[0]!.resolve();
    await settled();
    timers.pass(10_000);
    expect(ends).toHaveLength(2);
  });

  it('given a failure, says so and is done again', async () => {
    timers.pass(10_000);
    ends[0]!.reject(new Error('broken'));
    await settled();
    expect(log.warnings).toEqual(['the work failed and is tried again in 10 s']);
    timers.pass(10_000);
    expect(ends).toHaveLength(2);
  });

  it('given a stop while it waits, is never done', async () => {
    await periodic.stop();
    expect(timers.pending).toBe(0);
  });

  it('given a stop while it is under way, is waited for and not done again', async () => {
    timers.pass(10_000);
    let isStopped = false;
    const stopping = periodic.stop().then(() => (isStopped = true));
    await settled();
    expect(isStopped).toBe(false);
    ends[0]!.resolve();
    await stopping;
    expect(timers.pending).toBe(0);
  });
});
