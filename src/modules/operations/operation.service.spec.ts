import { describe, expect, it } from '@jest/globals';
import { type Answer, isAppError, type OperationLedger } from '../../kernel/index.js';
import type { CommitConfirmer } from '../../platform/http/index.js';
import type { TransactionRow } from '../../platform/sql/index.js';
import type { TransactionView } from '../../protocols/two-phase-commit/index.js';
import { OperationService } from './operation.service.js';

const confirmer: CommitConfirmer = {
  admit: () => undefined,
  isConfirmed: (seq) => seq <= 7,
  confirm: () => Promise.resolve({ isConfirmed: true, acked: 3, replicas: 4 }),
};

function ledgerOf(answer: Answer): OperationLedger {
  const record = { id: 'op', bodyHmac: undefined, atMs: 0, answer };
  return { findById: (id) => (id === 'op' ? record : undefined), findByScope: () => undefined };
}

const EMPTY: OperationLedger = { findById: () => undefined, findByScope: () => undefined };

const ABORTED_ROW: TransactionRow = {
  ...{ id: 't', kind: 'test', decidedBy: 'd', life: 1, by: 'coordinator', decision: 'aborted' },
  ...{ begunAtMs: 1, preparedAtMs: 2, decidedAtMs: 5, places: {}, operationId: 'op' },
};
const NO_ROWS = { findByOperation: () => undefined };

function transaction(state: TransactionView['state']): TransactionView {
  const history = [{ phase: 'prepare' as const, atMs: 1 }];
  return { id: 't', kind: 'test', state, participants: [], history, operationId: 'op' };
}

describe('an operation', () => {
  it('that is recorded, is shown with its answer and whether replicas hold what they promised', async () => {
    const answer: Answer = { status: 201, headers: { 'x-commit': '1.9' }, body: '{"id":1}', promisedAt: '1.7' };

    expect(await new OperationService([ledgerOf(answer)], { live: () => [] }, NO_ROWS, confirmer).find('op')).toEqual({
      operationId: 'op',
      state: 'committed',
      confirmed: true,
      at: '1970-01-01T00:00:00.000Z',
      answer: { status: 201, headers: { 'x-commit': '1.9', 'x-replicas-acked': '3/4' }, body: { id: 1 } },
    });
  });

  it('that is committed and not carried out everywhere, has no answer yet', async () => {
    const pending: Answer = { status: 202, headers: {}, body: '{}' };
    const operations = new OperationService(
      [ledgerOf(pending)],
      { live: () => [transaction('committing')] },
      NO_ROWS,
      confirmer,
    );

    expect(await operations.find('op')).toMatchObject({ state: 'committed', confirmed: false, answer: null });
  });

  it.each([
    ['preparing', 'running'],
    ['in-doubt', 'running'],
    ['unmatched', 'running'],
    ['aborting', 'aborted'],
    ['aborted', 'aborted'],
  ] as const)('that is a transaction %s, is %s', async (state, shown) => {
    const operations = new OperationService([EMPTY], { live: () => [transaction(state)] }, NO_ROWS, confirmer);

    expect(await operations.find('op')).toEqual({
      operationId: 'op',
      state: shown,
      confirmed: false,
      at: '1970-01-01T00:00:00.001Z',
      answer: null,
    });
  });

  it('that took several attempts, is what became of the last one', async () => {
    const live = (): TransactionView[] => [transaction('aborted'), transaction('preparing')];

    expect(await new OperationService([EMPTY], { live }, NO_ROWS, confirmer).find('op')).toMatchObject({
      state: 'running',
    });
  });

  it('that was aborted in an earlier life, is told from its row', async () => {
    const rows = { findByOperation: (): TransactionRow => ABORTED_ROW };

    expect(await new OperationService([EMPTY], { live: () => [] }, rows, confirmer).find('op')).toMatchObject({
      state: 'aborted',
      at: '1970-01-01T00:00:00.005Z',
      answer: null,
    });
  });

  it('that nobody knows, is not found', async () => {
    const operations = new OperationService([EMPTY], { live: () => [transaction('preparing')] }, NO_ROWS, confirmer);

    const refusal: unknown = await operations.find('other').catch((error: unknown) => error);
    expect(isAppError(refusal, 'not-found')).toBe(true);
  });
});
