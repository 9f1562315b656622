import { describe, expect, it } from '@jest/globals';
import type { ProcessStatus, SupervisorStatus } from '../../protocols/failover/index.js';
import { supervisorText } from './supervisor-text.js';

const AT = '2026-12-01T04:00:00.000Z';
const APP: ProcessStatus = {
  ...{ name: 'App A', role: 'active', health: 'healthy', reason: null, pid: 7, url: 'http://127.0.0.1:5050' },
  ...{ ageMs: 61_000, restarts: 0, lastEchoMsAgo: 120, epoch: 3, isFlapping: false, nextStartInMs: null },
  ...{ log: 'data/logs/app-a.log', history: [] },
};
const STATUS: SupervisorStatus = {
  supervisor: { pid: 1, startedAt: AT },
  ...{ at: AT, active: 'App A', processes: [APP], failovers: [] },
  aFailureNow: [{ failureOf: 'App A', isMasked: true, outcome: 'App B takes over' }],
};
const textOf = (about: Partial<SupervisorStatus>): string =>
  supervisorText('http://127.0.0.1:5060', { ...STATUS, ...about });

describe('what the supervisor reports', () => {
  it('shows every process and what a failure would do', () => {
    const text = textOf({});

    expect(text).toContain('Supervisor at http://127.0.0.1:5060 (pid 1).');
    expect(text).toMatch(/App A\s+│ active\s+│ healthy\s+│ 7\s+│ 1 min\s+│ 0\s+│ 120 ms ago/);
    expect(text).toMatch(/If it failed now:\n {2}App A: App B takes over$/);
    expect(text).not.toContain('Failovers:');
  });

  it('given a failure that clients would see, says so', () => {
    const aFailureNow = [{ failureOf: 'App A', isMasked: false, outcome: 'a takeover cannot open' }];

    expect(textOf({ aFailureNow })).toContain('App A: NOT MASKED: a takeover cannot open');
  });

  it('given a process that dies again and again, shows that and its next start', () => {
    const app = {
      ...APP,
      health: 'restarting',
      reason: 'ended',
      isFlapping: true,
      nextStartInMs: 4_000,
      pid: null,
    } as const;

    expect(textOf({ processes: [app] })).toContain('restarting: flapping, ended, next start in 4.0 s');
  });

  it.each([
    [{ by: 'App B', takeoverMs: 400, recoveryMs: 2_500 }, 'App B served 400 ms later; a standby waited 2.5 s later'],
    [{ by: 'App B', takeoverMs: 400, recoveryMs: null }, 'App B served 400 ms later; no standby waits yet'],
    [{ by: null, takeoverMs: null, recoveryMs: null }, 'none serves yet'],
  ])('given a failover, shows its times: %#', (times, text) => {
    const failovers = [{ at: AT, of: 'App A', cause: 'hung', detectionMs: 1_050, ...times } as const];

    expect(textOf({ failovers })).toContain(`${AT} App A hung: noticed 1.1 s after its last echo; ${text}`);
  });
});
