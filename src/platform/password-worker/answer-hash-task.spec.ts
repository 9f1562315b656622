import { describe, expect, it } from '@jest/globals';
import { answerHashTask } from './answer-hash-task.js';

describe('the answer to a hash task', () => {
  it('given a password, is an argon2id hash of 19 MiB, two passes and one lane, each time with another salt', () => {
    const [one, other] = [answerHashTask({ password: 'héllo' }), answerHashTask({ password: 'héllo' })];
    expect(one).toEqual({ hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) });
    expect(one).not.toEqual(other);
  });

  it('given a hash, says whether the password matches', () => {
    const { hash } = answerHashTask({ password: 'héllo' }) as { readonly hash: string };
    expect(answerHashTask({ password: 'héllo', hash })).toEqual({ matches: true });
    expect(answerHashTask({ password: 'hello', hash })).toEqual({ matches: false });
  });

  it('given what is no hash, fails without a word about it', () => {
    expect(answerHashTask({ password: 'secret', hash: 'secret' })).toEqual({ failed: true });
  });
});
