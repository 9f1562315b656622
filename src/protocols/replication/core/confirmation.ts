/**
 * Decides which writes are confirmed.
 *
 * Invariant: a confirmed write is on MIN_INSYNC replicas that have promised this epoch, together with a record of this epoch. An
 * older epoch's record counts only when such a record follows it: alone it can still be outvoted by a history that ends in a
 * newer epoch (Raft, section 5.4.2).
 */
import type { ReplicaView } from './replica-view.js';

export interface Confirmed {
  readonly all: number;
  readonly majority: number;
}

interface Countable {
  readonly minInSync: number;
  readonly epochStartSeq: number;
  readonly durableSeq: number;
  readonly replicas: readonly ReplicaView[];
  readonly confirmed: Confirmed;
}

/** Whether a client write may begin under `all` or `majority`: MIN_INSYNC replicas are in sync. */
export function admits(state: Pick<Countable, 'minInSync' | 'replicas'>): boolean {
  return inSyncOf(state).length >= state.minInSync;
}

/** The confirmed numbers now; they never decrease. */
export function confirmedOf(state: Countable): Confirmed {
  return {
    all: raised(state, state.confirmed.all, heldByAllInSync(state)),
    majority: raised(state, state.confirmed.majority, heldByMajority(state)),
  };
}

/** Counts all in-sync replicas. A set that has shrunk below MIN_INSYNC confirms nothing. */
function heldByAllInSync(state: Countable): number {
  if (!admits(state)) return 0;
  return Math.min(state.durableSeq, ...inSyncOf(state).map(({ ackedSeq }) => ackedSeq));
}

/** Counts more than half of all processes, the primary included, in sync or not. */
function heldByMajority({ replicas, minInSync, durableSeq }: Countable): number {
  const needed = Math.max(minInSync, Math.floor((replicas.length + 1) / 2));
  if (needed === 0) return durableSeq;
  const acked = replicas.map(({ ackedSeq, mustVerify }) => (mustVerify ? 0 : ackedSeq)).sort((a, b) => b - a);
  return Math.min(durableSeq, acked[needed - 1] ?? 0);
}

function raised({ epochStartSeq }: Countable, before: number, held: number): number {
  return held < epochStartSeq ? before : Math.max(before, held);
}

function inSyncOf({ replicas }: Pick<Countable, 'replicas'>): readonly ReplicaView[] {
  return replicas.filter(({ condition }) => condition === 'in-sync');
}
