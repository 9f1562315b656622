import type { ChildExit } from '../../platform/nodes/index.js';
import { begin as beginChild, type ChildState, decide as decideChild } from './managed-process-core.js';
import type {
  Effect as ChildEffect,
  Input as ChildInput,
  Notice as ChildNotice,
  RestartPolicy,
} from './managed-process-core.js';

/**
 * Decides how managed processes affect each other: when all are up, what the end of one means for the rest, and the stop order.
 * Pure, like the core of one process. Invariants: all children of a lower stop rank have ended before a child is asked to stop,
 * so that the replicas still hold what an app confirms on its way out; a stop starts nothing; `end` comes once, when no child
 * runs.
 */

/** The part of a process's description that affects decisions. */
export interface ChildRules {
  readonly restart: RestartPolicy;
  readonly stopRank: number;
}

/** The caller names the children, and orders them for notices. */
export type Children = Readonly<Record<string, ChildState>>;

export interface SupervisorState {
  readonly children: Children;
  readonly stopRanks: Readonly<Record<string, number>>;
  /** Children that were found running. A start that is refused before all are up leaves them running. */
  readonly adopted: ReadonlySet<string>;
  readonly phase: 'up' | 'stopping' | 'ended';
  /** Whether all children were up or had refused, once. */
  readonly isAnnounced: boolean;
  readonly isWaitReported: boolean;
  readonly addresses: Readonly<Record<string, string>>;
  readonly exitCode: number;
}

export type SupervisorInput =
  { readonly kind: 'child'; readonly name: string; readonly input: ChildInput } | { readonly kind: 'stop-requested' };

export type SupervisorNotice =
  | { readonly kind: 'child'; readonly name: string; readonly notice: Exclude<ChildNotice, { kind: 'not-ready-yet' }> }
  /** Comes once at most; `names` are the children that the start waits for. */
  | { readonly kind: 'waiting'; readonly names: readonly string[] }
  /** Comes once. A child with a `failure` is not up; the supervisor keeps trying. */
  | {
      readonly kind: 'all-up';
      readonly children: Readonly<Record<string, { readonly url: string | undefined; readonly failure?: ChildExit }>>;
    }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' };

export type SupervisorEffect =
  | { readonly kind: 'child'; readonly name: string; readonly effect: Exclude<ChildEffect, { kind: 'notify' }> }
  | { readonly kind: 'notify'; readonly notice: SupervisorNotice }
  /** Always the last effect of all. */
  | { readonly kind: 'end'; readonly exitCode: number };

export interface SupervisorDecision {
  readonly state: SupervisorState;
  readonly effects: readonly SupervisorEffect[];
}

/** The first start of an `adopted` child takes over the running one. */
export function begin(
  rules: Readonly<Record<string, ChildRules>>,
  adopted: ReadonlySet<string> = new Set(),
): SupervisorDecision {
  const decisions = Object.entries(rules).map(([name, { restart }]) => ({ name, ...beginChild(restart) }));
  const children = Object.fromEntries(decisions.map(({ name, state }) => [name, state]));
  return {
    state: {
      ...{ children, adopted, phase: 'up', isAnnounced: false, isWaitReported: false, addresses: {}, exitCode: 0 },
      stopRanks: Object.fromEntries(Object.entries(rules).map(([name, { stopRank }]) => [name, stopRank])),
    },
    effects: decisions.flatMap(({ name, effects }) => ofChild(name, effects, children)),
  };
}

export function decide(state: SupervisorState, input: SupervisorInput): SupervisorDecision {
  if (state.phase === 'ended') return { state, effects: [] };
  if (input.kind === 'child') return hear(state, input.name, input.input);
  if (state.phase === 'stopping') return { state, effects: [] };
  return then({ state: { ...state, phase: 'stopping' }, effects: [notify({ kind: 'stopping' })] }, stopNext);
}

function hear(state: SupervisorState, name: string, input: ChildInput): SupervisorDecision {
  const { decision, effects } = advance(state, name, input);
  const heard = { state: decision, effects };
  if (decision.phase === 'stopping') return then(heard, stopNext);
  if (decision.children[name]?.isGivenUp && !goesOnWithout(decision, name)) {
    const children = decision.isAnnounced ? decision.children : withoutAdopted(decision);
    return then({ state: { ...decision, children, phase: 'stopping', exitCode: 1 }, effects }, stopNext);
  }
  return then(heard, announce);
}

/** Whether another essential child goes on. A start that is under way needs all of them. */
function goesOnWithout({ children, isAnnounced }: SupervisorState, name: string): boolean {
  const isOther = ([other, { policy, isGivenUp }]: [string, ChildState]): boolean =>
    other !== name && policy.isEssential && !isGivenUp;
  return isAnnounced && children[name]?.policy.isEssential === true && Object.entries(children).some(isOther);
}

/** Leaves out adopted children that still run: they served before this start, and go on. */
function withoutAdopted({ children, adopted }: SupervisorState): Children {
  const entries = Object.entries(children).filter(([name, { deaths }]) => !adopted.has(name) || deaths > 0);
  return Object.fromEntries(entries);
}

/** One child's decision, with the notices that are news for the supervisor. */
function advance(
  state: SupervisorState,
  name: string,
  input: ChildInput,
): { readonly decision: SupervisorState; readonly effects: readonly SupervisorEffect[] } {
  const child = state.children[name];
  if (!child) return { decision: state, effects: [] };
  const next = decideChild(child, input);
  const addresses = { ...state.addresses, ...(input.kind === 'ready' ? { [name]: input.url } : {}) };
  const children = { ...state.children, [name]: next.state };
  const isNews = (notice: ChildNotice): boolean => {
    if (state.phase === 'stopping') return notice.kind === 'killed';
    if (notice.kind === 'not-ready-yet') return !state.isAnnounced && !state.isWaitReported;
    return notice.kind !== 'ready' || state.isAnnounced;
  };
  const news = next.effects.filter((effect) => effect.kind !== 'notify' || isNews(effect.notice));
  const isWaitReported = state.isWaitReported || input.kind === 'not-ready-yet';
  return { decision: { ...state, addresses, children, isWaitReported }, effects: ofChild(name, news, children) };
}

/** Whether a start need not wait for this child any longer. */
function isSettled({ policy, phase, alarm, failure }: ChildState): boolean {
  if (phase === 'up' || policy.isEssential) return phase === 'up';
  const hasRefused = failure !== undefined && failure.code !== null;
  // A start without an alarm was reported as slow.
  return hasRefused || (phase === 'starting' && alarm === undefined);
}

/** Reports all addresses, once nothing is left to wait for. */
function announce(state: SupervisorState): SupervisorDecision {
  const children = Object.entries(state.children);
  if (state.isAnnounced || !children.every(([, child]) => isSettled(child))) return { state, effects: [] };
  const shown = children.map(([name, { phase, failure }]) => {
    const url = phase === 'up' ? state.addresses[name] : undefined;
    return [name, failure === undefined ? { url } : { url, failure }];
  });
  return {
    state: { ...state, isAnnounced: true },
    effects: [notify({ kind: 'all-up', children: Object.fromEntries(shown) as AllUp['children'] })],
  };
}

type AllUp = Extract<SupervisorNotice, { kind: 'all-up' }>;

/** Asks the children of the lowest running rank to stop, and ends when none runs. A child between two starts ends at once. */
function stopNext(state: SupervisorState): SupervisorDecision {
  const running = Object.entries(state.children).filter(([, { phase }]) => phase !== 'ended');
  if (running.length === 0) {
    const { exitCode } = state;
    const last: SupervisorEffect = { kind: 'end', exitCode };
    const effects = exitCode === 0 ? [notify({ kind: 'stopped' }), last] : [last];
    return { state: { ...state, phase: 'ended' }, effects };
  }
  const rankOf = (name: string): number => state.stopRanks[name] ?? 0;
  const lowestRank = Math.min(...running.filter(([, { phase }]) => phase !== 'waiting').map(([name]) => rankOf(name)));
  const next = running.find(
    ([name, { phase }]) => phase === 'waiting' || (phase !== 'stopping' && rankOf(name) === lowestRank),
  );
  if (!next) return { state, effects: [] };
  const { decision, effects } = advance(state, next[0], { kind: 'stop-requested' });
  return then({ state: decision, effects }, stopNext);
}

function then(first: SupervisorDecision, step: (state: SupervisorState) => SupervisorDecision): SupervisorDecision {
  const { state, effects } = step(first.state);
  return { state, effects: [...first.effects, ...effects] };
}

function ofChild(name: string, effects: readonly ChildEffect[], children: Children): SupervisorEffect[] {
  return effects.map((effect) => {
    if (effect.kind !== 'notify') return { kind: 'child', name, effect };
    const { notice } = effect;
    if (notice.kind !== 'not-ready-yet') return notify({ kind: 'child', name, notice });
    const unsettled = Object.entries(children).filter(([, child]) => !isSettled(child));
    return notify({ kind: 'waiting', names: unsettled.map(([each]) => each) });
  });
}

function notify(notice: SupervisorNotice): SupervisorEffect {
  return { kind: 'notify', notice };
}
