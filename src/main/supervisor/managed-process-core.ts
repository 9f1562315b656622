import type { ChildExit } from '../../platform/nodes/index.js';

/**
 * Decides when one managed process is started, restarted, given up and stopped. Pure: no process, clock or timer. Invariant:
 * `start` comes only when the process does not run, so one directory never has two processes.
 */

/** Giving up a process ends everything. */
export interface RestartPolicy {
  /** Bifolio is not ready before an essential process is. It waits for any other process until that is ready, slow or refused. */
  readonly isEssential: boolean;
  /** The first wait before a restart; it doubles with each death until the process stays up. */
  readonly firstRetryAfterMs: number;
  readonly maxRetryAfterMs: number;
  /** The upper bound of the wait after a failed start. */
  readonly maxFailedStartRetryAfterMs: number;
  /** The process is given up after this many failed starts in a row. */
  readonly maxFailedStarts: number;
  /** The process is given up after a complaint that no restart resolves. */
  readonly hopeless: RegExp;
  /** The process is given up when its first start exits with such a complaint, which a person has to resolve. */
  readonly hopelessAtFirst: RegExp;
}

export type Phase = 'starting' | 'up' | 'waiting' | 'stopping' | 'ended';

export type Input =
  | { readonly kind: 'ready'; readonly pid: number; readonly url: string }
  | { readonly kind: 'exited'; readonly exit: ChildExit }
  | { readonly kind: 'stop-requested' }
  | AlarmInput;

type AlarmInput = { readonly kind: 'not-ready-yet' | 'slow' | 'stable' | 'retry-due' | 'stop-overdue' };

export type Notice =
  | { readonly kind: 'ready'; readonly pid: number; readonly url: string; readonly isFirst: boolean }
  | { readonly kind: 'not-ready-yet' }
  | { readonly kind: 'slow'; readonly afterMs: number }
  /** Not repeated while the starts of a process that is not essential fail for one reason. */
  | { readonly kind: 'died'; readonly exit: ChildExit; readonly retryInMs: number }
  | { readonly kind: 'gave-up'; readonly exit: ChildExit; readonly isFirst: boolean; readonly attempts: number }
  | { readonly kind: 'killed'; readonly afterMs: number };

export type Effect =
  | { readonly kind: 'start' }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'kill' }
  | { readonly kind: 'notify'; readonly notice: Notice };

export interface ChildState {
  readonly policy: RestartPolicy;
  /** `ended` is final; nothing runs then. */
  readonly phase: Phase;
  /** The only timer of this state. Another object is another timer and replaces it. */
  readonly alarm: { readonly afterMs: number; readonly input: AlarmInput } | undefined;
  readonly wasEverReady: boolean;
  /** Deaths since the process was last up for STABLE_AFTER_MS. */
  readonly deaths: number;
  /** Starts in a row that ended before the process was ready. */
  readonly failedStarts: number;
  readonly failure: ChildExit | undefined;
  readonly isGivenUp: boolean;
}

export interface Decision {
  readonly state: ChildState;
  readonly effects: readonly Effect[];
}

export const STABLE_AFTER_MS = 30_000;
export const NOT_READY_YET_AFTER_MS = 3_000;
export const SLOW_AFTER_MS = 15_000;
/** A stop finishes the requests under way. A kill after it is safe for data, but loses their answers. */
export const STOP_WITHIN_MS = 10_000;

/** Bifolio ends without this process. A person sees a refused first start and can act on it. */
export const ESSENTIAL: RestartPolicy = {
  isEssential: true,
  firstRetryAfterMs: 250,
  maxRetryAfterMs: 10_000,
  maxFailedStartRetryAfterMs: 10_000,
  maxFailedStarts: 10,
  hopeless: /^(?:misconfigured|data-corrupt|recovery-needed): /,
  hopelessAtFirst: /(?:)/,
};

/**
 * The rest runs without this process, which is retried forever, ever less often, unless a setting is wrong at the first start.
 */
export const SPARE: RestartPolicy = {
  ...ESSENTIAL,
  isEssential: false,
  maxFailedStartRetryAfterMs: 60_000,
  maxFailedStarts: Infinity,
  hopeless: /(?!)/,
  hopelessAtFirst: /^(?:misconfigured|port-taken): /,
};

type Step<Kind extends Input['kind']> = (state: ChildState, input: Extract<Input, { kind: Kind }>) => Decision;

/** A phase ignores inputs that it does not name, because they come too late to matter. */
const TABLE: Readonly<Record<Phase, { readonly [Kind in Input['kind']]?: Step<Kind> }>> = {
  starting: {
    ...{ ready: becomeReady, exited: startAgainOrGiveUp, 'stop-requested': stopChild },
    ...{ 'not-ready-yet': reportNotReadyYet, slow: reportSlow },
  },
  up: { exited: startAgainOrGiveUp, stable: forgetDeaths, 'stop-requested': stopChild },
  waiting: { 'retry-due': startNow, 'stop-requested': endStopped },
  stopping: { exited: endStopped, 'stop-overdue': killChild },
  ended: {},
};

export function begin(policy: RestartPolicy): Decision {
  return startNow({
    ...{ policy, phase: 'waiting', alarm: undefined, wasEverReady: false },
    ...{ deaths: 0, failedStarts: 0, failure: undefined, isGivenUp: false },
  });
}

export function decide(state: ChildState, input: Input): Decision {
  const step = TABLE[state.phase][input.kind] as ((state: ChildState, input: Input) => Decision) | undefined;
  return step ? step(state, input) : { state, effects: [] };
}

function startNow(state: ChildState): Decision {
  const alarm = { afterMs: NOT_READY_YET_AFTER_MS, input: { kind: 'not-ready-yet' } } as const;
  return { state: { ...state, phase: 'starting', alarm }, effects: [{ kind: 'start' }] };
}

function becomeReady(state: ChildState, { pid, url }: Extract<Input, { kind: 'ready' }>): Decision {
  const alarm = { afterMs: STABLE_AFTER_MS, input: { kind: 'stable' } } as const;
  return {
    state: { ...state, phase: 'up', alarm, wasEverReady: true, failedStarts: 0, failure: undefined },
    effects: [notify({ kind: 'ready', pid, url, isFirst: !state.wasEverReady })],
  };
}

function reportNotReadyYet(state: ChildState): Decision {
  const alarm = { afterMs: SLOW_AFTER_MS - NOT_READY_YET_AFTER_MS, input: { kind: 'slow' } } as const;
  return { state: { ...state, alarm }, effects: [notify({ kind: 'not-ready-yet' })] };
}

function reportSlow(state: ChildState): Decision {
  return { state: { ...state, alarm: undefined }, effects: [notify({ kind: 'slow', afterMs: SLOW_AFTER_MS })] };
}

function forgetDeaths(state: ChildState): Decision {
  return { state: { ...state, alarm: undefined, deaths: 0 }, effects: [] };
}

function startAgainOrGiveUp(state: ChildState, { exit }: Extract<Input, { kind: 'exited' }>): Decision {
  const { policy } = state;
  const hasFailed = state.phase === 'starting';
  const failedStarts = hasFailed ? state.failedStarts + 1 : 0;
  if (isToBeGivenUp(state, exit, failedStarts)) {
    return {
      state: { ...state, phase: 'ended', alarm: undefined, isGivenUp: true },
      effects: [notify({ kind: 'gave-up', exit, isFirst: !state.wasEverReady, attempts: failedStarts })],
    };
  }
  const maxRetryInMs = hasFailed ? policy.maxFailedStartRetryAfterMs : policy.maxRetryAfterMs;
  const retryInMs = Math.min(policy.firstRetryAfterMs * 2 ** state.deaths, maxRetryInMs);
  const alarm = { afterMs: retryInMs, input: { kind: 'retry-due' } } as const;
  const failure = hasFailed ? exit : undefined;
  const isOldNews =
    !policy.isEssential && hasFailed && state.failure !== undefined && reasonOf(state.failure) === reasonOf(exit);
  return {
    state: { ...state, phase: 'waiting', alarm, deaths: state.deaths + 1, failedStarts, failure },
    effects: isOldNews ? [] : [notify({ kind: 'died', exit, retryInMs })],
  };
}

function isToBeGivenUp({ policy, wasEverReady }: ChildState, exit: ChildExit, failedStarts: number): boolean {
  const complaint = exit.complaint ?? '';
  // A process that a signal ended did not refuse.
  const isRefusal = !wasEverReady && exit.code !== null;
  if (failedStarts >= policy.maxFailedStarts || policy.hopeless.test(complaint)) return true;
  return isRefusal && policy.hopelessAtFirst.test(complaint);
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
  return { kind: 'notify', notice };
}
