import { describe, expect, it } from '@jest/globals';
import type { OperationLedger, DecisionRow } from '../../kernel/index.js';
import type { TransactionView } from '../../protocols/two-phase-commit/index.js';
import { OperationService } from './operation.service.js';

function ledgerOf(answer: string | undefined): OperationLedger<string> {
  const record = { id: 'op', bodyHmac: undefined, atMs: 7, answer };
  return { findById: (id) => (id === 'op' ? record : undefined), findByScope: () => undefined };
}

const EMPTY: OperationLedger<string> = { findById: () => undefined, findByScope: () => undefined };

const ABORTED_ROW: DecisionRow = {
  ...{ id: 't', kind: 'test', decidedBy: 'd', incarnation: 1, by: 'coordinator', decision: 'aborted' },
  ...{ begunAtMs: 1, preparedAtMs: 2, decidedAtMs: 5, positions: {}, operationId: 'op' },
};
const NO_ROWS = { findByOperation: () => undefined };

function transaction(state: TransactionView['state']): TransactionView {
  const history = [{ phase: 'prepare' as const, atMs: 1 }];
  return { id: 't', kind: 'test', state, participants: [], history, operationId: 'op' };
}

describe('an operation', () => {
  it('given a recorded one, is found with its answer', () => {
    const operations = new OperationService([EMPTY, ledgerOf('done')], { live: () => [] }, NO_ROWS);

    expect(operations.find('op')).toEqual({ id: 'op', state: 'committed', atMs: 7, answer: 'done' });
  });

  it('given one that is committed but not completed everywhere, has no answer yet', () => {
    const live = (): TransactionView[] => [transaction('committing')];

    expect(new OperationService([ledgerOf(undefined)], { live }, NO_ROWS).find('op')).toEqual({
      ...{ id: 'op', state: 'committed', atMs: 7, answer: undefined },
    });
  });

  it.each([
    ['preparing', 'running'],
    ['in-doubt', 'running'],
    ['unmatched', 'running'],
    ['aborting', 'aborted'],
    ['aborted', 'aborted'],
  ] as const)('given a transaction %s, is %s', (state, found) => {
    const operations = new OperationService([EMPTY], { live: () => [transaction(state)] }, NO_ROWS);

    expect(operations.find('op')).toEqual({ id: 'op', state: found, atMs: 1 });
  });

  it('given several attempts, has the outcome of the last one', () => {
    const live = (): TransactionView[] => [transaction('aborted'), transaction('preparing')];

    expect(new OperationService([EMPTY], { live }, NO_ROWS).find('op').state).toBe('running');
  });

  it('given one that was aborted before the last start, is read from its row', () => {
    const rows = { findByOperation: (): DecisionRow => ABORTED_ROW };

    expect(new OperationService([EMPTY], { live: () => [] }, rows).find('op')).toEqual({
      ...{ id: 'op', state: 'aborted', atMs: 5 },
    });
  });

  it('given one that no store knows, is not found', () => {
    const operations = new OperationService([EMPTY], { live: () => [transaction('preparing')] }, NO_ROWS);

    expect(() => operations.find('other')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});
