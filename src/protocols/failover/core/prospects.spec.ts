import { describe, expect, it } from '@jest/globals';
import { prospectsOf, replicasToOpen, type Situation } from './prospects.js';

const WHOLE: Situation = {
  active: 'App A',
  standby: 'App B',
  replicas: { up: 4, all: 4, minInSync: 2 },
  gateway: 'The gateway',
};

const outcomeOf = (situation: Partial<Situation>, failureOf: string): unknown => {
  const found = prospectsOf({ ...WHOLE, ...situation }).find((prospect) => prospect.failureOf === failureOf);
  return found && [found.isMasked, found.outcome];
};
const replicas = (up: number): Partial<Situation> => ({ replicas: { ...WHOLE.replicas, up } });

describe('what a failure would do now', () => {
  it('given that everything is up, names the standby that takes over', () => {
    expect(outcomeOf({}, 'App A')).toEqual([true, 'App B takes over; clients of the gateway see a slow answer']);
  });

  it('given two of four replicas, says before a failure that no takeover could open', () => {
    expect(replicasToOpen(WHOLE.replicas)).toBe(3);
    expect(outcomeOf(replicas(2), 'App A')).toEqual([
      false,
      'a takeover cannot open: 2 of 4 replicas are up, and it needs 3',
    ]);
  });

  it.each([
    [4, true, '3 of 4 would be up: reads and writes go on'],
    [3, false, '2 of 4 would be up: writes go on, but a takeover could not open'],
    [2, false, '1 of 4 would be up: writes are refused, they need 2'],
    [0, false, '0 of 4 would be up: writes are refused, they need 2'],
  ])('given %d replicas, says what the loss of one more does', (up, isMasked, outcome) => {
    expect(outcomeOf(replicas(up), 'One more replica')).toEqual([isMasked, outcome]);
  });

  it('given no standby, says that nobody takes over', () => {
    expect(outcomeOf({ standby: undefined }, 'App A')).toEqual([
      false,
      'no standby waits: no app serves until it is started again',
    ]);
  });

  it('given no gateway, says that requests under way fail', () => {
    expect(outcomeOf({ gateway: undefined }, 'App A')).toEqual([
      false,
      'App B takes over; requests under way fail, because no gateway holds them',
    ]);
  });

  it('given no active, says that none serves', () => {
    expect(outcomeOf({ active: undefined }, 'The active app')).toEqual([false, 'none serves now']);
  });

  it('given no replicas, names none', () => {
    const alone = { replicas: { up: 0, all: 0, minInSync: 0 } };
    expect(outcomeOf(alone, 'One more replica')).toBeUndefined();
    expect(outcomeOf(alone, 'App A')).toEqual([true, 'App B takes over; clients of the gateway see a slow answer']);
  });
});
