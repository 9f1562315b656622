import { describe, expect, it } from '@jest/globals';
import { RequestLimit } from './request-limit.js';

describe('the limit of requests', () => {
  it('given ever new callers, forgets those that were silent for longest and no others', () => {
    const limit = new RequestLimit(2, () => 0);
    limit.count('first');
    limit.count('heard');
    for (let caller = 0; caller < 9_999; caller += 1) {
      limit.count(`caller ${String(caller)}`);
      if (caller % 1_000 === 0) limit.count('heard');
    }
    expect(limit.count('heard').isOver).toBe(true);
    expect(limit.count('first').remaining).toBe(1);
  });
});
