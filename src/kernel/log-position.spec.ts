import { describe, expect, it } from '@jest/globals';
import { isAheadOf, isAsFarAs } from './log-position.js';

describe('the order of log positions', () => {
  it('ranks a newer epoch above a longer history, and the longer history above the shorter within an epoch', () => {
    expect(isAheadOf({ epoch: 6, seq: 3 }, { epoch: 5, seq: 9 })).toBe(true);
    expect(isAheadOf({ epoch: 5, seq: 9 }, { epoch: 6, seq: 3 })).toBe(false);
    expect(isAheadOf({ epoch: 5, seq: 9 }, { epoch: 5, seq: 8 })).toBe(true);
    expect(isAheadOf({ epoch: 5, seq: 9 }, { epoch: 5, seq: 9 })).toBe(false);
    expect(isAsFarAs({ epoch: 5, seq: 9 }, { epoch: 5, seq: 9 })).toBe(true);
  });
});
