import { beforeEach, describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import type { UndecidedTransaction } from '../core/recovery.js';
import type { Decision } from '../ports.js';
import { RecoveryLog } from './recovery-log.js';
import { type EndedTransaction, TransactionHistory, TransactionRecord } from './transaction-record.js';

const DOUBT: UndecidedTransaction = {
  ...{ id: 't1', kind: 'test', decidedBy: 'database', incarnation: 1, preparedAtMs: 1 },
  positions: { a: '1', b: '1' },
};

describe('the notes of a recovery', () => {
  const clock = new SimulatedClock();
  let ended: string[];
  let history: TransactionHistory;
  let recoveryLog: RecoveryLog;
  let log: RecordingLog;

  /** As its own run does when it is over. */
  const end = (state: Decision): void => {
    const branches = Object.keys(DOUBT.positions).map((name) => ({ name, state }));
    history.keep(new TransactionRecord(DOUBT.id, DOUBT.kind, clock, { state, branches }));
  };
  const notify = (decision: Decision): void => {
    recoveryLog.notified(new Map([[DOUBT.id, { decision, acknowledgements: {}, errors: {} }]]), [DOUBT]);
  };

  beforeEach(() => {
    ended = [];
    log = new RecordingLog();
    history = new TransactionHistory(({ id, state }: EndedTransaction) => ended.push(`${id} ${state}`));
    recoveryLog = new RecoveryLog(history, { find: () => undefined, ids: () => new Set() }, clock, log);
  });

  it('on one that nobody else has ended, count it once and say so', () => {
    recoveryLog.found([DOUBT]);
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

  it('on one that its own run has ended meanwhile, add nothing and do not count it again', () => {
    recoveryLog.found([DOUBT]);
    end('aborted');
    notify('aborted');

    expect(ended).toEqual(['t1 aborted']);
    expect([history.all().length, log.entries]).toEqual([1, []]);
  });

  it('on one that its own run had ended before it was found, do not open it again', () => {
    end('committed');
    recoveryLog.found([DOUBT]);
    expect(history.findUnfinished('t1')).toBeUndefined();
    notify('committed');

    expect([ended, history.all().length]).toEqual([['t1 committed'], 1]);
  });

  it('on one that two recoveries have told, count it once', () => {
    recoveryLog.found([DOUBT]);
    notify('aborted');
    notify('aborted');

    expect([ended, history.all().length]).toEqual([['t1 aborted'], 1]);
  });
});
