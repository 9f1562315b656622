import { describe, expect, it } from '@jest/globals';
import { isAheadOf, isAsFarAs } from './log-position.js';

describe('the order of log positions', () => {
  it('puts a newer epoch before a longer history, and the longer of one epoch before the shorter', () => {
    expect(isAheadOf({ epoch: 6, seq: 3 }, { epoch: 5, seq: 9 })).toBe(true);
    expect(isAheadOf({ epoch: 5, seq: 9 }, { epoch: 6, seq: 3 })).toBe(false);
    expect(isAheadOf({ epoch: 5, seq: 9 }, { epoch: 5, seq: 8 })).toBe(true);
    expect(isAheadOf({ epoch: 5, seq: 9 }, { epoch: 5, seq: 9 })).toBe(false);
    expect(isAsFarAs({ epoch: 5, seq: 9 }, { epoch: 5, seq: 9 })).toBe(true);
  });
});
