import { describe, expect, it } from '@jest/globals';
import { LoginLimit } from './login-limit.js';

const MINUTE_MS = 60_000;

function limitAt(): { readonly limit: LoginLimit; pass: (ms: number) => void } {
  let nowMs = 0;
  const limit = new LoginLimit(() => nowMs);
  return { limit, pass: (ms) => (nowMs += ms) };
}

const attempts = (limit: LoginLimit, count: number, account = 'a'): void => {
  for (let i = 0; i < count; i += 1) limit.attempt(account);
};

describe('the limit of logins', () => {
  it('given ten attempts, refuses the eleventh with the seconds that are left, and no other account', () => {
    const { limit, pass } = limitAt();
    attempts(limit, 10);
    pass(14 * MINUTE_MS);
    expect(() => {
      limit.attempt('a');
    }).toThrow(expect.objectContaining({ code: 'too-many-logins', retry: 'safe', retryAfterSeconds: 60 }));
    limit.attempt('b');
  });

  it('given a quarter of an hour since the first attempt, allows ten again', () => {
    const { limit, pass } = limitAt();
    attempts(limit, 10);
    pass(15 * MINUTE_MS);
    attempts(limit, 10);
    expect(() => {
      limit.attempt('a');
    }).toThrow('10 attempts');
  });

  it('given a success, starts anew', () => {
    const { limit } = limitAt();
    attempts(limit, 10);
    limit.succeeded('a');
    attempts(limit, 10);
    expect(() => {
      limit.attempt('a');
    }).toThrow();
  });

  it('given attempts that compared nothing, does not count them', () => {
    const { limit } = limitAt();
    attempts(limit, 10);
    limit.notTried('a');
    limit.notTried('nobody');
    attempts(limit, 1);
    expect(() => {
      limit.attempt('a');
    }).toThrow();
  });
});
