/**
 * The delivery of one event from its outbox row to the participant whose step it leads to.
 *
 * Invariant: an event is forgotten only when its receiver's row is durable, or its saga is superseded; it is tried a bounded number
 * of times, then parked; only tries that were due use up the budget, so neither a restart nor a drain does.
 */
import type { DeliveryMark } from '../ports.js';
import type { RetryBudget } from './definition.js';

export interface DeliveryState {
  readonly phase: 'new' | 'in-flight' | 'backing-off' | 'parked' | 'delivered' | 'superseded';
  /** Failed tries that were due. */
  readonly attempts: number;
  /** When the next try is due, in wall-clock time. */
  readonly nextAtMs: number;
  /** In flight: the try was not due, and a failure leads back to what was before. */
  readonly isFree: boolean;
  /** The budget is used up. */
  readonly isParked: boolean;
}

export type DeliveryInput =
  /** The event is new, or its time has come. */
  | { readonly type: 'due' }
  /** A start, a drain or a person wants a try now. */
  | { readonly type: 'try' }
  /** The receiver's row is durable. */
  | { readonly type: 'delivered' }
  /** The try has ended without the receiver's row, or nobody knows. `chance` is at least 0 and below 1. */
  | { readonly type: 'failed'; readonly nowMs: number; readonly chance: number }
  /** The owner of the saga has superseded it. Never while a try is under way. */
  | { readonly type: 'superseded' };

export type DeliveryEffect =
  | { readonly type: 'deliver'; readonly isLastTry: boolean }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'note'; readonly delivery: DeliveryMark };

export interface DeliveryDecision {
  readonly state: DeliveryState;
  /** In this order. */
  readonly effects: readonly DeliveryEffect[];
}

/** The state of an event whose row says so. */
export function deliveryOf(
  row: { readonly delivery: DeliveryMark; readonly attempts: number; readonly nextAtMs: number } = NEVER_TRIED,
): DeliveryState {
  const isParked = row.delivery === 'parked';
  const { attempts, nextAtMs } = row;
  return { phase: isParked ? 'parked' : 'new', attempts, nextAtMs, isFree: false, isParked };
}

const NEVER_TRIED = { delivery: 'pending', attempts: 0, nextAtMs: 0 } as const;
const NOTHING: readonly DeliveryEffect[] = [];
const DELIVER: readonly DeliveryEffect[] = [{ type: 'deliver', isLastTry: false }];
const DELIVER_LAST: readonly DeliveryEffect[] = [{ type: 'deliver', isLastTry: true }];
const DELIVERED: readonly DeliveryEffect[] = [{ type: 'note', delivery: 'delivered' }];
const SUPERSEDED: readonly DeliveryEffect[] = [{ type: 'note', delivery: 'superseded' }];
const PARKED: readonly DeliveryEffect[] = [{ type: 'note', delivery: 'parked' }];

export function decideDelivery(state: DeliveryState, input: DeliveryInput, budget: RetryBudget): DeliveryDecision {
  switch (input.type) {
    case 'due':
      if (state.phase !== 'new' && state.phase !== 'backing-off') return { state, effects: NOTHING };
      return {
        state: { ...state, phase: 'in-flight', isFree: false },
        effects: state.attempts + 1 < budget.attempts ? DELIVER : DELIVER_LAST,
      };
    case 'try':
      if (!isAtRest(state)) return { state, effects: NOTHING };
      return {
        state: { ...state, phase: 'in-flight', isFree: true },
        effects: state.isParked ? DELIVER_LAST : DELIVER,
      };
    case 'delivered':
      return { state: { ...state, phase: 'delivered' }, effects: DELIVERED };
    case 'failed':
      return failed(state, input, budget);
    case 'superseded':
      if (!isAtRest(state)) return { state, effects: NOTHING };
      return { state: { ...state, phase: 'superseded' }, effects: SUPERSEDED };
  }
}

function isAtRest({ phase }: DeliveryState): boolean {
  return phase === 'new' || phase === 'backing-off' || phase === 'parked';
}

function failed(
  state: DeliveryState,
  { nowMs, chance }: { readonly nowMs: number; readonly chance: number },
  budget: RetryBudget,
): DeliveryDecision {
  if (state.phase !== 'in-flight') return { state, effects: NOTHING };
  if (state.isFree) {
    if (state.isParked) return { state: { ...state, phase: 'parked' }, effects: NOTHING };
    // The wall clock may have jumped, so no wait is longer than the longest.
    const ms = Math.min(budget.maxMs, Math.max(budget.baseMs, state.nextAtMs - nowMs));
    return { state: { ...state, phase: 'backing-off' }, effects: [{ type: 'wait', ms }] };
  }
  const attempts = state.attempts + 1;
  if (attempts >= budget.attempts) {
    return { state: { ...state, phase: 'parked', attempts, isParked: true }, effects: PARKED };
  }
  const ms = waitMs(budget, attempts, chance);
  return {
    state: { ...state, phase: 'backing-off', attempts, nextAtMs: nowMs + ms },
    effects: [
      { type: 'note', delivery: 'pending' },
      { type: 'wait', ms },
    ],
  };
}

/** Exponential backoff with equal jitter (M. Brooker, "Exponential Backoff And Jitter", 2015): at least half of the full wait. */
function waitMs({ baseMs, maxMs }: RetryBudget, attempts: number, chance: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** (attempts - 1));
  return Math.ceil((full * (1 + chance)) / 2);
}
