import type { ChildExit } from '../../platform/nodes/index.js';

/**
 * When one child is started, started again, given up and stopped. Pure: no process, clock or timer.
 *
 * Invariant: `start` is asked for only when the child does not run, so there are never two on one directory.
 */

/**
 * - `essential`: without it there is nothing to watch. When it cannot run, everything ends.
 * - `spare`: the rest runs without it. It is given up only where a person has to change a setting before the first
 *   start; otherwise it is tried for ever, ever more rarely.
 */
export type Role = 'essential' | 'spare';

export type Phase = 'starting' | 'up' | 'waiting' | 'stopping' | 'ended';

export type Input =
  | { readonly kind: 'ready'; readonly pid: number; readonly url: string }
  | { readonly kind: 'exited'; readonly exit: ChildExit }
  | { readonly kind: 'stop-requested' }
  | AlarmInput;

/** What the alarm of a phase says when it rings. */
type AlarmInput = { readonly kind: 'slow' | 'stable' | 'retry-due' | 'stop-overdue' };

export type Notice =
  | { readonly kind: 'ready'; readonly pid: number; readonly url: string; readonly isFirst: boolean }
  | { readonly kind: 'slow'; readonly afterMs: number }
  /** Of a spare not told again while one start after the other ends for the same reason. */
  | { readonly kind: 'died'; readonly exit: ChildExit; readonly retryInMs: number }
  | { readonly kind: 'gave-up'; readonly exit: ChildExit; readonly isFirst: boolean; readonly attempts: number }
  | { readonly kind: 'killed'; readonly afterMs: number };

export type Effect =
  | { readonly kind: 'start' }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'tell'; readonly notice: Notice };

export interface ChildState {
  readonly role: Role;
  /** `ended` is the last one; nothing runs then. */
  readonly phase: Phase;
  /** The one timer that runs in this state. Another object is another timer: the earlier one is dropped. */
  readonly alarm: { readonly afterMs: number; readonly input: AlarmInput } | undefined;
  readonly wasEverReady: boolean;
  /** Deaths since it was last up for STABLE_AFTER_MS. */
  readonly deaths: number;
  /** Starts in a row that ended before it was ready. */
  readonly failedStarts: number;
  /** Of the last of them; undefined once it is ready. */
  readonly failure: ChildExit | undefined;
  /** Whether it ended because it was given up. */
  readonly isGivenUp: boolean;
}

export interface Decision {
  readonly state: ChildState;
  readonly effects: readonly Effect[];
}

export const FIRST_RETRY_AFTER_MS = 250;
export const MAX_RETRY_AFTER_MS = 10_000;
export const STABLE_AFTER_MS = 30_000;
export const SLOW_AFTER_MS = 15_000;
/** A stop finishes the requests under way. Killing after it is safe for data, not for their answers. */
export const STOP_WITHIN_MS = 10_000;
/** A spare that cannot start for long is looked after that rarely. */
export const MAX_SPARE_RETRY_AFTER_MS = 60_000;
export const GIVE_UP_AFTER_FAILED_STARTS = 10;

/** Starting again changes nothing about these. */
const HOPELESS = /^(?:misconfigured|data-corrupt|recovery-needed): /;
/** Before the first start a person can do something about these, and the child alone never will. */
const NEEDS_A_SETTING = /^(?:misconfigured|port-taken): /;

type Step<Kind extends Input['kind']> = (state: ChildState, input: Extract<Input, { kind: Kind }>) => Decision;

/** An input that a phase does not name comes too late to matter there, and is ignored. */
const TABLE: Readonly<Record<Phase, { readonly [Kind in Input['kind']]?: Step<Kind> }>> = {
  starting: { ready: becomeReady, exited: startAgainOrGiveUp, slow: tellSlow, 'stop-requested': stopChild },
  up: { exited: startAgainOrGiveUp, stable: forgetDeaths, 'stop-requested': stopChild },
  waiting: { 'retry-due': startNow, 'stop-requested': endStopped },
  stopping: { exited: endStopped, 'stop-overdue': killChild },
  ended: {},
};

export function begin(role: Role): Decision {
  return startNow({
    ...{ role, phase: 'waiting', alarm: undefined, wasEverReady: false },
    ...{ deaths: 0, failedStarts: 0, failure: undefined, isGivenUp: false },
  });
}

export function decide(state: ChildState, input: Input): Decision {
  const step = TABLE[state.phase][input.kind] as ((state: ChildState, input: Input) => Decision) | undefined;
  return step ? step(state, input) : { state, effects: [] };
}

function startNow(state: ChildState): Decision {
  const alarm = { afterMs: SLOW_AFTER_MS, input: { kind: 'slow' } } as const;
  return { state: { ...state, phase: 'starting', alarm }, effects: [{ kind: 'start' }] };
}

function becomeReady(state: ChildState, { pid, url }: Extract<Input, { kind: 'ready' }>): Decision {
  const alarm = { afterMs: STABLE_AFTER_MS, input: { kind: 'stable' } } as const;
  return {
    state: { ...state, phase: 'up', alarm, wasEverReady: true, failedStarts: 0, failure: undefined },
    effects: [notify({ kind: 'ready', pid, url, isFirst: !state.wasEverReady })],
  };
}

function tellSlow(state: ChildState): Decision {
  return { state: { ...state, alarm: undefined }, effects: [notify({ kind: 'slow', afterMs: SLOW_AFTER_MS })] };
}

function forgetDeaths(state: ChildState): Decision {
  return { state: { ...state, alarm: undefined, deaths: 0 }, effects: [] };
}

function startAgainOrGiveUp(state: ChildState, { exit }: Extract<Input, { kind: 'exited' }>): Decision {
  const hasFailed = state.phase === 'starting';
  const failedStarts = hasFailed ? state.failedStarts + 1 : 0;
  if (isToBeGivenUp(state, exit, failedStarts)) {
    return {
      state: { ...state, phase: 'ended', alarm: undefined, isGivenUp: true },
      effects: [notify({ kind: 'gave-up', exit, isFirst: !state.wasEverReady, attempts: failedStarts })],
    };
  }
  const retryInMs = Math.min(FIRST_RETRY_AFTER_MS * 2 ** state.deaths, maxRetryOf(state, hasFailed));
  const alarm = { afterMs: retryInMs, input: { kind: 'retry-due' } } as const;
  const failure = hasFailed ? exit : undefined;
  const isOldNews =
    state.role === 'spare' && hasFailed && state.failure !== undefined && reasonOf(state.failure) === reasonOf(exit);
  return {
    state: { ...state, phase: 'waiting', alarm, deaths: state.deaths + 1, failedStarts, failure },
    effects: isOldNews ? [] : [notify({ kind: 'died', exit, retryInMs })],
  };
}

function isToBeGivenUp({ role, wasEverReady }: ChildState, exit: ChildExit, failedStarts: number): boolean {
  const complaint = exit.complaint ?? '';
  // A first start that says no by itself meets a person who can do something about it; a signal is no answer.
  const isRefusal = !wasEverReady && exit.code !== null;
  if (role === 'spare') return isRefusal && NEEDS_A_SETTING.test(complaint);
  return isRefusal || HOPELESS.test(complaint) || failedStarts >= GIVE_UP_AFTER_FAILED_STARTS;
}

function maxRetryOf({ role }: ChildState, hasFailed: boolean): number {
  return role === 'spare' && hasFailed ? MAX_SPARE_RETRY_AFTER_MS : MAX_RETRY_AFTER_MS;
}

function reasonOf({ code, signal, complaint }: ChildExit): string {
  return JSON.stringify([code, signal, complaint]);
}

function stopChild(state: ChildState): Decision {
  const alarm = { afterMs: STOP_WITHIN_MS, input: { kind: 'stop-overdue' } } as const;
  return { state: { ...state, phase: 'stopping', alarm }, effects: [{ kind: 'terminate' }] };
}

function killChild(state: ChildState): Decision {
  return {
    state: { ...state, alarm: undefined },
    effects: [notify({ kind: 'killed', afterMs: STOP_WITHIN_MS }), { kind: 'kill' }],
  };
}

function endStopped(state: ChildState): Decision {
  return { state: { ...state, phase: 'ended', alarm: undefined }, effects: [] };
}

function notify(notice: Notice): Effect {
  return { kind: 'tell', notice };
}
