import type { DeliveryState } from '../core/delivery.js';
import type { RetryBudget } from '../core/definition.js';
import type { SagaFile, SagaRef, StepRecord } from '../ports.js';
import type { Round } from './round.js';

/** An event that is not delivered yet. */
export interface OpenDelivery {
  readonly saga: SagaRef;
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly state: 'delivering' | 'waiting' | 'parked';
  /** Failed tries that count. */
  readonly attempts: number;
  /** In wall-clock time; 0 before a try has failed. */
  readonly nextAtMs: number;
  /** Why the last try failed; undefined when none has failed since the start. */
  readonly reason: string | undefined;
}

/** One participant, and what is on its way to it. */
export interface Lane {
  readonly file: SagaFile;
  readonly waiting: Delivery[];
  inFlight: number;
}

/** One event under way. */
export interface Delivery {
  readonly key: string;
  readonly sender: SagaFile;
  readonly record: StepRecord;
  readonly receiver: Lane;
  readonly budget: RetryBudget;
  state: DeliveryState;
  isLastTry: boolean;
  reason: string | undefined;
  cancelTimer: (() => void) | undefined;
  /** Waiting for this saga to come to rest. */
  rounds: readonly Round[];
}

export const NO_ROUNDS: readonly Round[] = [];

export function keyOf(number: number, step: string): string {
  return `${String(number)} ${step}`;
}

export function leave(delivery: Delivery): void {
  const { rounds } = delivery;
  delivery.rounds = NO_ROUNDS;
  for (const round of rounds) round.leave();
}

export function viewOf({ record, sender, receiver, state, reason }: Delivery): OpenDelivery {
  const { saga, event } = record;
  const { phase, attempts, nextAtMs } = state;
  return {
    ...{ saga, event, from: sender.participant, to: receiver.file.participant, attempts, nextAtMs, reason },
    state: phase === 'parked' ? 'parked' : phase === 'in-flight' ? 'delivering' : 'waiting',
  };
}
