import { describe, expect, it } from '@jest/globals';
import type { CommitConfirmer } from '../../../../platform/http/index.js';
import { operationView } from './operation-view.js';

const confirmer: CommitConfirmer = {
  admit: () => undefined,
  isConfirmed: (seq) => seq <= 7,
  confirm: () => Promise.resolve({ isConfirmed: true, acked: 3, replicas: 4 }),
};

describe('an operation, as clients see it', () => {
  it.each([
    ['1.7', true],
    ['1.8', false],
  ])(
    'prepared at %s, has its answer, and whether replicas hold the prepare record: %s',
    async (promisedAt, confirmed) => {
      const answer = { status: 201, headers: { 'x-commit': '1.9' }, body: '{"id":1}', promisedAt };

      expect(await operationView({ id: 'op', state: 'committed', atMs: 0, answer }, confirmer)).toEqual({
        operationId: 'op',
        state: 'committed',
        confirmed,
        at: '1970-01-01T00:00:00.000Z',
        answer: { status: 201, headers: { 'x-commit': '1.9', 'x-replicas-acked': '3/4' }, body: { id: 1 } },
      });
    },
  );

  it('given an answer without a body, has a null body', async () => {
    const answer = { status: 204, headers: {}, body: null };

    expect(await operationView({ id: 'op', state: 'committed', atMs: 0, answer }, confirmer)).toMatchObject({
      confirmed: true,
      answer,
    });
  });

  it.each(['committed', 'running', 'aborted'] as const)('given %s and no answer, has none', async (state) => {
    expect(await operationView({ id: 'op', state, atMs: 1 }, confirmer)).toEqual({
      operationId: 'op',
      state,
      confirmed: false,
      at: '1970-01-01T00:00:00.001Z',
      answer: null,
    });
  });
});
