import type { ChildExit } from '../../platform/nodes/index.js';
import { begin as beginChild, type ChildState, decide as decideChild } from './managed-process-core.js';
import type {
  Effect as ChildEffect,
  Input as ChildInput,
  Notice as ChildNotice,
  Role,
} from './managed-process-core.js';

/**
 * What many children do to each other: when all of them are up, what the end of one means for the rest, and in which
 * order they stop. Pure, like the core of one child.
 *
 * Invariants: essential children have ended before a spare one is asked to stop, so that what they confirm on the way
 * out is still held by all; once stopping, nothing is started; `end` comes once, when no child runs.
 */

/** Names of children are the caller's; so is their order in what is told. */
export type Children = Readonly<Record<string, ChildState>>;

export interface FleetState {
  readonly children: Children;
  /** Names of those that were found running. A start that is refused before all are up leaves them running. */
  readonly adopted: ReadonlySet<string>;
  readonly phase: 'up' | 'stopping' | 'ended';
  /** Of all children together, after the first time that all were up or had refused. */
  readonly isAnnounced: boolean;
  /** Where each that is up answers. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly exitCode: number;
}

export type FleetInput =
  { readonly kind: 'child'; readonly name: string; readonly input: ChildInput } | { readonly kind: 'stop-requested' };

export type SupervisorNotice =
  | { readonly kind: 'child'; readonly name: string; readonly notice: ChildNotice }
  /** Told once. `failure` of a child that is not up: it is tried on. */
  | {
      readonly kind: 'all-up';
      readonly children: Readonly<Record<string, { readonly url: string | undefined; readonly failure?: ChildExit }>>;
    }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' };

export type FleetEffect =
  | { readonly kind: 'child'; readonly name: string; readonly effect: Exclude<ChildEffect, { kind: 'tell' }> }
  | { readonly kind: 'tell'; readonly notice: SupervisorNotice }
  /** Always the last effect of all. */
  | { readonly kind: 'end'; readonly exitCode: number };

export interface FleetDecision {
  readonly state: FleetState;
  readonly effects: readonly FleetEffect[];
}

/** Children that run already are `adopted`: their first start finds them running. */
export function beginFleet(
  roles: Readonly<Record<string, Role>>,
  adopted: ReadonlySet<string> = new Set(),
): FleetDecision {
  const decisions = Object.entries(roles).map(([name, role]) => ({ name, ...beginChild(role) }));
  const children = Object.fromEntries(decisions.map(({ name, state }) => [name, state]));
  return {
    state: { children, adopted, phase: 'up', isAnnounced: false, addresses: {}, exitCode: 0 },
    effects: decisions.flatMap(({ name, effects }) => ofChild(name, effects)),
  };
}

export function decideFleet(state: FleetState, input: FleetInput): FleetDecision {
  if (state.phase === 'ended') return { state, effects: [] };
  if (input.kind === 'child') return hear(state, input.name, input.input);
  if (state.phase === 'stopping') return { state, effects: [] };
  return then({ state: { ...state, phase: 'stopping' }, effects: [notify({ kind: 'stopping' })] }, stopNext);
}

function hear(state: FleetState, name: string, input: ChildInput): FleetDecision {
  const { decision, effects } = advance(state, name, input);
  const heard = { state: decision, effects };
  if (decision.phase === 'stopping') return then(heard, stopNext);
  if (decision.children[name]?.isGivenUp) {
    const children = decision.isAnnounced ? decision.children : withoutAdopted(decision);
    return then({ state: { ...decision, children, phase: 'stopping', exitCode: 1 }, effects }, stopNext);
  }
  return then(heard, announce);
}

/** Those that were adopted and still run are let be: they served before this start, and serve on. */
function withoutAdopted({ children, adopted }: FleetState): Children {
  const entries = Object.entries(children).filter(([name, { deaths }]) => !adopted.has(name) || deaths > 0);
  return Object.fromEntries(entries);
}

/** One child's own decision; of its words only those that are still news once all are known to be up. */
function advance(
  state: FleetState,
  name: string,
  input: ChildInput,
): { readonly decision: FleetState; readonly effects: readonly FleetEffect[] } {
  const child = state.children[name];
  if (!child) return { decision: state, effects: [] };
  const next = decideChild(child, input);
  const addresses = { ...state.addresses, ...(input.kind === 'ready' ? { [name]: input.url } : {}) };
  const notified = (notice: ChildNotice): boolean => {
    if (state.phase === 'stopping') return notice.kind === 'killed';
    return notice.kind !== 'ready' || state.isAnnounced;
  };
  return {
    decision: { ...state, addresses, children: { ...state.children, [name]: next.state } },
    effects: ofChild(
      name,
      next.effects.filter((effect) => effect.kind !== 'tell' || notified(effect.notice)),
    ),
  };
}

/** Says where everything is, once the essential are up and of each of the rest it is known whether it is. */
function announce(state: FleetState): FleetDecision {
  const children = Object.entries(state.children);
  const isSettled = ({ role, phase, alarm, failure }: ChildState): boolean => {
    if (phase === 'up' || role === 'essential') return phase === 'up';
    const hasRefused = failure !== undefined && failure.code !== null;
    // Without its alarm a start has been told to be slow.
    return hasRefused || (phase === 'starting' && alarm === undefined);
  };
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

/** While stopping: asks whose turn it is, and ends when nobody runs. What waits for its next start needs no asking. */
function stopNext(state: FleetState): FleetDecision {
  const running = Object.entries(state.children).filter(([, { phase }]) => phase !== 'ended');
  if (running.length === 0) {
    const { exitCode } = state;
    const last: FleetEffect = { kind: 'end', exitCode };
    const effects = exitCode === 0 ? [notify({ kind: 'stopped' }), last] : [last];
    return { state: { ...state, phase: 'ended' }, effects };
  }
  const isEssentialLeft = running.some(([, { role, phase }]) => role === 'essential' && phase !== 'waiting');
  const next = running.find(
    ([, { role, phase }]) =>
      phase === 'waiting' || (phase !== 'stopping' && (role === 'essential' || !isEssentialLeft)),
  );
  if (!next) return { state, effects: [] };
  const { decision, effects } = advance(state, next[0], { kind: 'stop-requested' });
  return then({ state: decision, effects }, stopNext);
}

function then(first: FleetDecision, step: (state: FleetState) => FleetDecision): FleetDecision {
  const { state, effects } = step(first.state);
  return { state, effects: [...first.effects, ...effects] };
}

function ofChild(name: string, effects: readonly ChildEffect[]): FleetEffect[] {
  return effects.map((effect) =>
    effect.kind === 'tell' ? notify({ kind: 'child', name, notice: effect.notice }) : { kind: 'child', name, effect },
  );
}

function notify(notice: SupervisorNotice): FleetEffect {
  return { kind: 'tell', notice };
}
