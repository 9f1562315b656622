/**
 * Which writes are confirmed.
 *
 * Invariant: what is confirmed is on MIN_INSYNC replicas that have promised this epoch, together with a record of this
 * epoch. An older epoch's record counts only with that one behind it: alone it can still be outvoted by a history that
 * ends in a newer epoch (Raft, section 5.4.2).
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

/** Whether a client write may be begun under `all` or `majority`: MIN_INSYNC replicas are in sync. */
export function admits(state: Pick<Countable, 'minInSync' | 'replicas'>): boolean {
  return inSyncOf(state).length >= state.minInSync;
}

/** What is confirmed now; never less than before. */
export function confirmedOf(state: Countable): Confirmed {
  return {
    all: raised(state, state.confirmed.all, heldByAllInSync(state)),
    majority: raised(state, state.confirmed.majority, heldByMajority(state)),
  };
}

/** Every one in sync, and of those at least MIN_INSYNC: a set that has shrunk below it confirms nothing. */
function heldByAllInSync(state: Countable): number {
  if (!admits(state)) return 0;
  return Math.min(state.durableSeq, ...inSyncOf(state).map(({ ackedSeq }) => ackedSeq));
}

/** With the primary more than half of all, in sync or not. */
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
