/**
 * When the app is started, started again, given up and stopped. Pure: no process, clock or timer.
 *
 * Invariant: `start-app` is asked for only when no app runs, so there are never two on one data directory.
 */

/** How a child ended. */
export interface AppExit {
  readonly pid: number | undefined;
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The line in which it said why; undefined when it said nothing. */
  readonly complaint: string | undefined;
}

export type Phase = 'starting' | 'up' | 'waiting' | 'stopping' | 'ended';

export type Input =
  | { readonly kind: 'ready'; readonly pid: number; readonly url: string }
  | { readonly kind: 'exited'; readonly exit: AppExit }
  | { readonly kind: 'stop-requested' }
  | AlarmInput;

/** What the alarm of a phase says when it rings. */
type AlarmInput = { readonly kind: 'slow' | 'stable' | 'retry-due' | 'stop-overdue' };

export type Notice =
  | { readonly kind: 'ready'; readonly pid: number; readonly url: string; readonly isFirst: boolean }
  | { readonly kind: 'slow'; readonly afterMs: number }
  | { readonly kind: 'died'; readonly exit: AppExit; readonly retryInMs: number }
  | { readonly kind: 'gave-up'; readonly exit: AppExit; readonly isFirst: boolean; readonly attempts: number }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'killed'; readonly afterMs: number }
  | { readonly kind: 'stopped' };

export type Effect =
  | { readonly kind: 'start-app' }
  | { readonly kind: 'terminate-app' }
  | { readonly kind: 'kill-app' }
  | { readonly kind: 'tell'; readonly notice: Notice }
  /** Always the last effect of all. */
  | { readonly kind: 'end'; readonly exitCode: number };

export interface SupervisorState {
  readonly phase: Phase;
  /** The one timer that runs in this state. Another object is another timer: the earlier one is dropped. */
  readonly alarm: { readonly afterMs: number; readonly input: AlarmInput } | undefined;
  readonly wasEverReady: boolean;
  /** Deaths since the app was last up for STABLE_AFTER_MS. */
  readonly deaths: number;
  /** Starts in a row that ended before the app was ready. */
  readonly failedStarts: number;
}

export interface Decision {
  readonly state: SupervisorState;
  readonly effects: readonly Effect[];
}

export const FIRST_RETRY_AFTER_MS = 250;
export const LONGEST_RETRY_AFTER_MS = 10_000;
export const STABLE_AFTER_MS = 30_000;
export const SLOW_AFTER_MS = 15_000;
/** A stop finishes the requests under way. Killing after it is safe for data, not for their answers. */
export const STOP_WITHIN_MS = 10_000;
export const GIVE_UP_AFTER_FAILED_STARTS = 10;

/** Starting again changes nothing about these. */
const HOPELESS = /^(?:misconfigured|data-corrupt): /;

type Step<Kind extends Input['kind']> = (state: SupervisorState, input: Extract<Input, { kind: Kind }>) => Decision;

/** An input that a phase does not name comes too late to matter there, and is ignored. */
const TABLE: Readonly<Record<Phase, { readonly [Kind in Input['kind']]?: Step<Kind> }>> = {
  starting: { ready: becomeReady, exited: startAgainOrGiveUp, slow: tellSlow, 'stop-requested': stopApp },
  up: { exited: startAgainOrGiveUp, stable: forgetDeaths, 'stop-requested': stopApp },
  waiting: { 'retry-due': startNow, 'stop-requested': endStopped },
  stopping: { exited: endStopped, 'stop-overdue': killApp },
  ended: {},
};

export function begin(): Decision {
  const idle = { phase: 'waiting', alarm: undefined, wasEverReady: false, deaths: 0, failedStarts: 0 } as const;
  return startNow(idle);
}

export function decide(state: SupervisorState, input: Input): Decision {
  const step = TABLE[state.phase][input.kind] as ((state: SupervisorState, input: Input) => Decision) | undefined;
  return step ? step(state, input) : { state, effects: [] };
}

function startNow(state: SupervisorState): Decision {
  const alarm = { afterMs: SLOW_AFTER_MS, input: { kind: 'slow' } } as const;
  return { state: { ...state, phase: 'starting', alarm }, effects: [{ kind: 'start-app' }] };
}

function becomeReady(state: SupervisorState, { pid, url }: Extract<Input, { kind: 'ready' }>): Decision {
  const alarm = { afterMs: STABLE_AFTER_MS, input: { kind: 'stable' } } as const;
  return {
    state: { ...state, phase: 'up', alarm, wasEverReady: true, failedStarts: 0 },
    effects: [tell({ kind: 'ready', pid, url, isFirst: !state.wasEverReady })],
  };
}

function tellSlow(state: SupervisorState): Decision {
  return { state: { ...state, alarm: undefined }, effects: [tell({ kind: 'slow', afterMs: SLOW_AFTER_MS })] };
}

function forgetDeaths(state: SupervisorState): Decision {
  return { state: { ...state, alarm: undefined, deaths: 0 }, effects: [] };
}

function startAgainOrGiveUp(state: SupervisorState, { exit }: Extract<Input, { kind: 'exited' }>): Decision {
  const failedStarts = state.phase === 'starting' ? state.failedStarts + 1 : 0;
  // A first start that says no by itself meets a person who can do something about it; a signal is no answer.
  const isRefusal = !state.wasEverReady && exit.code !== null;
  const isHopeless = HOPELESS.test(exit.complaint ?? '');
  if (isRefusal || isHopeless || failedStarts >= GIVE_UP_AFTER_FAILED_STARTS) {
    return end(state, 1, { kind: 'gave-up', exit, isFirst: !state.wasEverReady, attempts: failedStarts });
  }
  const retryInMs = Math.min(FIRST_RETRY_AFTER_MS * 2 ** state.deaths, LONGEST_RETRY_AFTER_MS);
  const alarm = { afterMs: retryInMs, input: { kind: 'retry-due' } } as const;
  return {
    state: { ...state, phase: 'waiting', alarm, deaths: state.deaths + 1, failedStarts },
    effects: [tell({ kind: 'died', exit, retryInMs })],
  };
}

function stopApp(state: SupervisorState): Decision {
  const alarm = { afterMs: STOP_WITHIN_MS, input: { kind: 'stop-overdue' } } as const;
  return {
    state: { ...state, phase: 'stopping', alarm },
    effects: [tell({ kind: 'stopping' }), { kind: 'terminate-app' }],
  };
}

function killApp(state: SupervisorState): Decision {
  return {
    state: { ...state, alarm: undefined },
    effects: [tell({ kind: 'killed', afterMs: STOP_WITHIN_MS }), { kind: 'kill-app' }],
  };
}

function endStopped(state: SupervisorState): Decision {
  return end(state, 0, { kind: 'stopped' });
}

function end(state: SupervisorState, exitCode: number, notice: Notice): Decision {
  return {
    state: { ...state, phase: 'ended', alarm: undefined },
    effects: [tell(notice), { kind: 'end', exitCode }],
  };
}

function tell(notice: Notice): Effect {
  return { kind: 'tell', notice };
}
