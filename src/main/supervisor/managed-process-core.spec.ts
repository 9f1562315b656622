import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ChildExit } from '../../platform/nodes/index.js';
import {
  begin,
  decide,
  type Decision,
  ESSENTIAL,
  type Input,
  type RestartPolicy,
  SPARE,
  STABLE_AFTER_MS,
  STOP_WITHIN_MS,
} from './managed-process-core.js';

const READY: Input = { kind: 'ready', pid: 7, url: 'http://127.0.0.1:5050' };
const STOP: Input = { kind: 'stop-requested' };
const RETRY: Input = { kind: 'retry-due' };
const STABLE: Input = { kind: 'stable' };
const NOT_READY_YET: Input = { kind: 'not-ready-yet' };
const SLOW: Input = { kind: 'slow' };
const OVERDUE: Input = { kind: 'stop-overdue' };

function exited(exit: Partial<ChildExit>): Input {
  return { kind: 'exited', exit: { pid: 7, code: null, signal: null, complaint: undefined, ...exit } };
}
const KILLED = exited({ signal: 'SIGKILL' });
const REFUSED = exited({ code: 1, complaint: 'port-taken: port 5050 is in use by another program' });

/** The last decision after these inputs, from the beginning. */
function after(...inputs: readonly Input[]): Decision {
  return afterOf(ESSENTIAL, ...inputs);
}

function afterOf(policy: RestartPolicy, ...inputs: readonly Input[]): Decision {
  return inputs.reduce<Decision>((decision, input) => decide(decision.state, input), begin(policy));
}

function times(count: number, ...inputs: readonly Input[]): Input[] {
  return Array.from({ length: count }, () => inputs).flat();
}

/** What was done, without the words about it. */
function deeds({ effects }: Decision): string[] {
  return effects.map((effect) => (effect.kind === 'notify' ? `notify ${effect.notice.kind}` : effect.kind));
}

describe('the supervisor of one child', () => {
  it('at the beginning, starts the app', () => {
    expect(deeds(begin(ESSENTIAL))).toEqual(['start']);
  });

  it('when the app is ready the first time, shows where', () => {
    expect(after(READY).effects).toEqual([{ kind: 'notify', notice: { ...READY, isFirst: true } }]);
  });

  it('when the first start refuses by itself, gives up at once with its reason', () => {
    const { state, effects } = after(REFUSED);

    expect(effects).toEqual([
      { kind: 'notify', notice: expect.objectContaining({ kind: 'gave-up', isFirst: true, attempts: 1 }) },
    ]);
    expect([state.phase, state.isGivenUp]).toEqual(['ended', true]);
  });

  it('when the first start is killed from outside, tries again', () => {
    expect(after(KILLED).state.phase).toBe('waiting');
  });

  it('when the app dies while it is up, says so, waits, starts it again and says where it is back', () => {
    const died = after(READY, KILLED);
    expect(deeds(died)).toEqual(['notify died']);
    expect(died.state.alarm).toEqual({ afterMs: ESSENTIAL.firstRetryAfterMs, input: RETRY });
    expect(deeds(after(READY, KILLED, RETRY))).toEqual(['start']);
    expect(after(READY, KILLED, RETRY, READY).effects).toEqual([
      { kind: 'notify', notice: { ...READY, isFirst: false } },
    ]);
  });

  it('when the app dies again and again, doubles the wait up to its longest', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 20].map((count) => after(...times(count, READY, KILLED, RETRY).slice(0, -1)));

    expect(waits.map(({ state }) => state.alarm?.afterMs)).toEqual([
      ...[250, 500, 1_000, 2_000, 4_000, 8_000],
      ...[ESSENTIAL.maxRetryAfterMs, ESSENTIAL.maxRetryAfterMs],
    ]);
  });

  it('when the app was up for a while, the next wait is short again', () => {
    const up = after(...times(5, READY, KILLED, RETRY), READY);
    expect(up.state.alarm).toEqual({ afterMs: STABLE_AFTER_MS, input: STABLE });

    const died = after(...times(5, READY, KILLED, RETRY), READY, STABLE, KILLED);
    expect(died.state.alarm?.afterMs).toBe(ESSENTIAL.firstRetryAfterMs);
  });

  it('when the app gets ready between its deaths, never gives up', () => {
    expect(after(...times(100, READY, KILLED, RETRY)).state.phase).toBe('starting');
  });

  it('when later starts fail many times in a row, gives up', () => {
    const failing = (count: number): Decision =>
      after(READY, KILLED, RETRY, ...times(count - 1, REFUSED, RETRY), REFUSED);

    expect(deeds(failing(ESSENTIAL.maxFailedStarts - 1))).toEqual(['notify died']);
    expect(deeds(failing(ESSENTIAL.maxFailedStarts))).toEqual(['notify gave-up']);
  });

  it.each([
    'data-corrupt: segment-1 at 17',
    'misconfigured: PORT must be a port',
    'recovery-needed: the replicas hold more: npm run recover:from-replicas',
  ])('when a later start ends with "%s", gives up at once, for nothing changes by trying', (complaint) => {
    expect(deeds(after(READY, KILLED, RETRY, exited({ code: 1, complaint })))).toEqual(['notify gave-up']);
  });

  it('when it takes a while to get ready, says so after 3 s, and that it is slow after 15 s', () => {
    expect(begin(ESSENTIAL).state.alarm).toEqual({ afterMs: 3_000, input: NOT_READY_YET });
    expect(deeds(after(NOT_READY_YET))).toEqual(['notify not-ready-yet']);
    expect(after(NOT_READY_YET).state.alarm).toEqual({ afterMs: 12_000, input: SLOW });
    expect(after(NOT_READY_YET, SLOW).effects).toEqual([{ kind: 'notify', notice: { kind: 'slow', afterMs: 15_000 } }]);
  });

  it('when asked to stop, ends the app cleanly and is done once it is gone', () => {
    expect(deeds(after(READY, STOP))).toEqual(['terminate']);
    expect(after(READY, STOP, exited({ code: 0 })).state).toMatchObject({ phase: 'ended', isGivenUp: false });
  });

  it('when asked to stop before the app is ready, stops it all the same', () => {
    expect(deeds(after(STOP))).toEqual(['terminate']);
    expect(deeds(after(STOP, READY))).toEqual([]);
    expect(after(STOP, exited({ signal: 'SIGTERM' })).state.phase).toBe('ended');
  });

  it('when asked to stop between two starts, is done at once', () => {
    expect(after(READY, KILLED, STOP).state.phase).toBe('ended');
  });

  it('when asked to stop twice, as Ctrl-C under npm does, asks the app once', () => {
    expect(deeds(after(READY, STOP, STOP))).toEqual([]);
  });

  it('when the app does not stop in time, kills it', () => {
    expect(after(READY, STOP).state.alarm).toEqual({ afterMs: STOP_WITHIN_MS, input: OVERDUE });
    expect(deeds(after(READY, STOP, OVERDUE))).toEqual(['notify killed', 'kill']);
    expect(after(READY, STOP, OVERDUE, KILLED).state.phase).toBe('ended');
  });

  describe('that the rest runs without', () => {
    const CORRUPT = exited({ code: 1, complaint: 'data-corrupt: segment-1 at 17' });
    const LOCKED = exited({ code: 1, complaint: 'data-directory-locked: another process holds it' });

    it.each([
      ['port-taken: port 5072 is taken', 'ended'],
      ['misconfigured: HOST must be', 'ended'],
      ['data-corrupt: segment-1 at 17', 'waiting'],
      ['data-directory-locked: another process holds it', 'waiting'],
    ])('when its first start ends with "%s", is %s', (complaint, phase) => {
      expect(afterOf(SPARE, exited({ code: 1, complaint })).state.phase).toBe(phase);
    });

    it('when it cannot start at all, is tried for ever, ever more rarely, and complains once', () => {
      const tried = afterOf(SPARE, ...times(50, CORRUPT, RETRY), CORRUPT);

      expect(tried.effects).toEqual([]);
      expect(tried.state.alarm).toEqual({ afterMs: SPARE.maxFailedStartRetryAfterMs, input: RETRY });
    });

    it('when it cannot start for another reason than before, says so', () => {
      expect(deeds(afterOf(SPARE, CORRUPT, RETRY, LOCKED))).toEqual(['notify died']);
    });

    it('when it comes back and cannot start again, says so again', () => {
      expect(deeds(afterOf(SPARE, CORRUPT, RETRY, READY, KILLED, RETRY, CORRUPT))).toEqual(['notify died']);
    });
  });

  it.each([ESSENTIAL, SPARE])(
    'given the policy %j, whatever happens in whatever order, never runs two of a child and never restarts it after a stop',
    (policy) => {
      const all = [READY, KILLED, REFUSED, RETRY, STABLE, STOP, OVERDUE, NOT_READY_YET];
      const inputs = fc.array(fc.constantFrom(...all), { maxLength: 60 });
      fc.assert(
        fc.property(inputs, (sequence) => {
          let decision = begin(policy);
          let [running, isStopRequested] = [1, false];
          for (const input of sequence) {
            // A process that does not run cannot exit.
            if (input.kind === 'exited' && running === 0) continue;
            if (input.kind === 'exited') running -= 1;
            isStopRequested ||= input.kind === 'stop-requested';
            decision = decide(decision.state, input);
            const started = decision.effects.filter(({ kind }) => kind === 'start').length;
            expect(isStopRequested && started > 0).toBe(false);
            running += started;
            expect(running).toBeLessThanOrEqual(1);
            if (decision.state.phase === 'ended') expect(running).toBe(0);
          }
        }),
      );
    },
  );
});
