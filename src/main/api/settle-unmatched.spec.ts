import { describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { storageFull } from '../../kernel/index.js';
import { settleUnmatched } from './settle-unmatched.js';

const head = (id: string): { id: string; kind: string; decidedBy: string; incarnation: number } => {
  return { id, kind: 'test', decidedBy: 'database', incarnation: 1 };
};

/** Names say what is what: in doubt, done, with or without a row, or forgotten by the documents. */
const UNMATCHED = ['in-doubt', 'done', 'done-row', 'in-doubt-row', 'forgotten', 'forgotten-row'];
const documents = (settle: (ids: readonly string[]) => Promise<void>): Parameters<typeof settleUnmatched>[0] => {
  let left: readonly string[] = UNMATCHED;
  return {
    unmatched: () => left,
    settleUnmatched: async (ids) => {
      await settle(ids);
      left = left.filter((id) => !ids.includes(id));
    },
    prepared: () => ['in-doubt', 'in-doubt-row'].map((id) => ({ ...head(id), preparedAtMs: 0, position: '1.1' })),
    carriedOut: () => ['done', 'done-row'].map((id) => ({ ...head(id), decision: 'committed' })),
  };
};
const LEFT = 'transactions that a recovery from replicas listed are still unsettled';
const hasRow = (id: string): boolean => id.endsWith('-row');

describe('transactions that a recovery from replicas listed', () => {
  it('given a row that settles them, or no record of them, leave the list; the others stay', async () => {
    const log = new RecordingLog();
    const own = documents(() => Promise.resolve());
    await settleUnmatched(own, hasRow, log);

    expect(own.unmatched()).toEqual(['in-doubt', 'done', 'in-doubt-row']);
    expect(log.entries).toEqual([
      {
        level: 'warn',
        message: LEFT,
        details: { decided: ['done'], inDoubt: ['in-doubt', 'in-doubt-row'] },
      },
    ]);
  });

  it('given no room to write the list, stay on it, and the start continues', async () => {
    const log = new RecordingLog();
    const own = documents(() => Promise.reject(storageFull(undefined)));
    await settleUnmatched(own, hasRow, log);

    expect(own.unmatched()).toEqual(UNMATCHED);
    expect(log.warnings).toEqual(['the list of unmatched transactions could not be written', LEFT]);
    expect(log.entries.at(-1)?.details).toMatchObject({ decided: ['done'] });
  });
});
