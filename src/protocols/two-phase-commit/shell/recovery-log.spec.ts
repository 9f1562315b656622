import { beforeEach, describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import type { UndecidedTransaction } from '../core/recovery.js';
import type { Decision } from '../ports.js';
import { RecoveryLog } from './recovery-log.js';
import { type EndedTransaction, TransactionHistory, TransactionRecord } from './transaction-record.js';

const IN_DOUBT: UndecidedTransaction = {
  ...{ id: 't1', kind: 'test', decidedBy: 'database', incarnation: 1, preparedAtMs: 1 },
  positions: { a: '1', b: '1' },
};

describe('the recovery log', () => {
  const clock = new SimulatedClock();
  let ended: string[];
  let history: TransactionHistory;
  let recoveryLog: RecoveryLog;
  let log: RecordingLog;

  /** Records the end, as the transaction's own run does. */
  const end = (state: Decision): void => {
    const branches = Object.keys(IN_DOUBT.positions).map((name) => ({ name, state }));
    history.keep(new TransactionRecord(IN_DOUBT.id, IN_DOUBT.kind, clock, { state, branches }));
  };
  const notify = (decision: Decision): void => {
    recoveryLog.notified(new Map([[IN_DOUBT.id, { decision, acknowledgements: {}, errors: {} }]]), [IN_DOUBT]);
  };

  beforeEach(() => {
    ended = [];
    log = new RecordingLog();
    history = new TransactionHistory(({ id, state }: EndedTransaction) => ended.push(`${id} ${state}`));
    recoveryLog = new RecoveryLog(history, { find: () => undefined, ids: () => new Set() }, clock, log);
  });

  it('given a transaction that only this recovery ended, counts it once and logs it', () => {
    recoveryLog.found([IN_DOUBT]);
    notify('committed');

    expect(ended).toEqual(['t1 committed']);
    expect(
      history
        .find('t1')
        ?.view()
        .history.map(({ phase }) => phase),
    ).toEqual(['found-in-doubt', 'committed']);
    expect(log.entries.map(({ message }) => message)).toEqual(['a transaction was recovered']);
  });

  it('given a transaction that its own run ended meanwhile, adds nothing and does not count it again', () => {
    recoveryLog.found([IN_DOUBT]);
    end('aborted');
    notify('aborted');

    expect(ended).toEqual(['t1 aborted']);
    expect([history.all().length, log.entries]).toEqual([1, []]);
  });

  it('given a transaction that its own run had ended before recovery found it, does not open it again', () => {
    end('committed');
    recoveryLog.found([IN_DOUBT]);
    expect(history.findUnfinished('t1')).toBeUndefined();
    notify('committed');

    expect([ended, history.all().length]).toEqual([['t1 committed'], 1]);
  });

  it('given a transaction that two recoveries ended, counts it once', () => {
    recoveryLog.found([IN_DOUBT]);
    notify('aborted');
    notify('aborted');

    expect([ended, history.all().length]).toEqual([['t1 aborted'], 1]);
  });
});
