import { describe, expect, it } from '@jest/globals';
import { RequestLimit, type SharedUsage } from './request-limit.js';

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

describe('a limit that is shared with other processes', () => {
  const sharing = (
    answer: () => Promise<SharedUsage>,
  ): { limit: RequestLimit; asked: () => number; later: (ms: number) => void; count: () => unknown } => {
    let nowMs = 0;
    let asked = 0;
    const limit = new RequestLimit(2, () => nowMs);
    const add = (): Promise<SharedUsage> => {
      asked += 1;
      return answer();
    };
    return {
      limit,
      asked: () => asked,
      later: (ms) => (nowMs += ms),
      count: () => limit.countShared({ isAvailable: true, add }, 'ann'),
    };
  };

  it('refuses a caller that all processes together have refused, until its window ends and without asking again', async () => {
    const { count, asked, later } = sharing(() => Promise.resolve({ count: 2, isOver: true, endsInMs: 10_000 }));
    expect(await count()).toMatchObject({ isOver: true, remaining: 0, resetSeconds: 10 });
    later(9_999);
    expect(await count()).toMatchObject({ isOver: true, resetSeconds: 1 });
    expect(asked()).toBe(1);
    later(1);
    await count();
    expect(asked()).toBe(2);
  });

  it('counts alone while the others cannot be asked, and lets through as many as it allows by itself', async () => {
    const { count } = sharing(() => Promise.reject(new Error('late')));
    const answers = [await count(), await count(), await count()];
    expect(answers).toMatchObject([{ isOver: false, remaining: 1 }, { isOver: false, remaining: 0 }, { isOver: true }]);
  });

  it('tells the caller what is left over all processes', async () => {
    const { count } = sharing(() => Promise.resolve({ count: 1, isOver: false, endsInMs: 59_001 }));
    expect(await count()).toEqual({ limit: 2, remaining: 1, resetSeconds: 60, isOver: false });
  });
});
