import { describe, expect, it } from '@jest/globals';
import type { Answer } from './answer.js';
import { type CommitConfirmer, confirmedAnswer } from './commit-confirmation.js';

const WRITTEN: Answer = { status: 201, headers: { 'x-commit': '3.42', etag: '"e"' }, body: '{"id":1}' };

function confirmer(isConfirmed: boolean): CommitConfirmer & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    admit: () => undefined,
    isConfirmed: () => isConfirmed,
    confirm: (...question) => {
      asked.push(question);
      return Promise.resolve({ isConfirmed, acked: 2, replicas: 4 });
    },
  };
}

describe('the answer to a write', () => {
  it('given a confirmed write, reports the number of replicas that hold it', async () => {
    const replicas = confirmer(true);

    expect(await confirmedAnswer(WRITTEN, 'op-1', 'majority', replicas)).toEqual({
      ...WRITTEN,
      headers: { ...WRITTEN.headers, 'x-replicas-acked': '2/4' },
    });
    expect(replicas.asked).toEqual([[42, 'majority']]);
  });

  it('given an earlier prepare record, waits for that', async () => {
    const replicas = confirmer(true);
    await confirmedAnswer({ ...WRITTEN, promisedAt: '3.40' }, 'op-1', 'all', replicas);

    expect(replicas.asked).toEqual([[40, 'all']]);
  });

  it('given no confirmation in time, is 202 with the path of the operation and without the resource', async () => {
    expect(await confirmedAnswer(WRITTEN, 'op-1', undefined, confirmer(false))).toEqual({
      status: 202,
      headers: { 'x-replicas-acked': '2/4', 'x-commit': '3.42', location: '/operations/op-1' },
      body: '{"operationId":"op-1","state":"committed"}',
    });
  });

  it('given a write without replicas, is unchanged and waits for nothing', async () => {
    const replicas = confirmer(true);
    const answer: Answer = { status: 200, headers: {}, body: '{}' };

    expect(await confirmedAnswer(answer, 'op-1', undefined, replicas)).toBe(answer);
    expect(replicas.asked).toEqual([]);
  });
});
