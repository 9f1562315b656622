import type { ChainPosition } from '../../../src/kernel/index.js';
import type { PrimaryIdentity, PrimaryState } from '../../../src/protocols/replication/index.js';
import { type Attempt, type Concern, type HasStore, MIN_IN_SYNC, type PrimaryWatcher } from './cluster.js';
import type { ReplicaWatcher, SimulatedReplica } from './simulated-replica.js';

/** A broken promise. */
export class Violation extends Error {}

/**
 * The invariants, checked on the disks and on the answers to clients. The oracles ask the cores only for the identity of a
 * primary.
 */
export class Oracles implements PrimaryWatcher, ReplicaWatcher {
  /** Every record that was ever durable at a primary, by hash, with the replicas that ever held it. */
  private readonly holders = new Map<string, Set<string>>();
  private readonly ownerOfEpoch = new Map<number, string>();
  /** The last position of each replica. */
  private readonly positions = new Map<string, ChainPosition>();

  primaryDurable({ store }: HasStore, { epoch, primaryId }: PrimaryIdentity): void {
    const owner = this.ownerOfEpoch.get(epoch) ?? primaryId;
    if (owner !== primaryId) throw new Violation(`P3: ${owner} and ${primaryId} both wrote in epoch ${epoch}`);
    this.ownerOfEpoch.set(epoch, primaryId);
    for (let seq = store.durable; seq > 0; seq -= 1) {
      const { hash } = store.log[seq - 1]!;
      if (this.holders.has(hash)) break;
      this.holders.set(hash, new Set());
    }
  }

  replicaChanged({ name, store }: SimulatedReplica, by: 'append' | 'install' | 'set-aside'): void {
    const before = by === 'set-aside' ? undefined : this.positions.get(name);
    if (before && store.durable < before.seq) {
      throw new Violation(`P3: ${name} went from ${before.seq} back to ${store.durable} by ${by}`);
    }
    // Records off the chain are quarantined, never overwritten.
    if (before && by === 'append' && store.positionAt(before.seq).hash !== before.hash) {
      throw new Violation(`P3: ${name} lost ${before.hash} without keeping it`);
    }
    this.positions.set(name, store.position);
    for (let seq = store.durable; seq > 0; seq -= 1) {
      const { hash } = store.log[seq - 1]!;
      const holders = this.holders.get(hash);
      if (!holders) throw new Violation(`P3: ${name} holds ${hash}, which was never durable at a primary`);
      if (holders.has(name)) break;
      holders.add(name);
    }
  }

  /** The replica's disk was lost or replaced by an older copy. */
  replicaReplaced({ name, store }: SimulatedReplica): void {
    this.positions.set(name, store.position);
  }

  confirmed({ store }: HasStore, core: PrimaryState, concern: Concern, { hash, seq }: ChainPosition): void {
    if (seq > store.durable) throw new Violation(`P1: ${hash} is confirmed and not durable here`);
    if (concern === 'primary') return;
    const { epoch, primaryId } = core.identity;
    const holders = this.holders.get(hash)?.size ?? 0;
    if (holders < MIN_IN_SYNC) throw new Violation(`P1: ${hash} is confirmed from ${holders} replicas`);
    if (this.ownerOfEpoch.get(epoch) !== primaryId) throw new Violation(`two primaries confirm in epoch ${epoch}`);
  }

  /** Runs at the end, when the world is at rest and all replicas are in sync with `primary`. */
  settled(
    primary: HasStore,
    replicas: readonly SimulatedReplica[],
    attempts: readonly Attempt[],
    wasPrimaryReplaced: boolean,
  ): void {
    const { store } = primary;
    for (const { name, store: other } of replicas) {
      const same = other.log.length === store.log.length && other.position.hash === store.position.hash;
      if (!same || other.stateAt(other.durable) !== store.stateAt(store.durable)) {
        throw new Violation(`P3: ${name} is in sync but differs from the primary`);
      }
    }
    const times = new Map<number, number>();
    for (const { op } of store.log) if (op !== 0) times.set(op, (times.get(op) ?? 0) + 1);
    for (const [op, count] of times) if (count > 1) throw new Violation(`P4: write ${op} took effect ${count} times`);
    const mayBeThere = new Set(attempts.filter(({ outcome }) => outcome !== 'refused').map(({ op }) => op));
    for (const { op, concern, outcome } of attempts) {
      const isThere = times.has(op);
      const mustBeThere = outcome === 'done' && (concern !== 'primary' || !wasPrimaryReplaced);
      if (mustBeThere && !isThere) throw new Violation(`P1: write ${op}, confirmed under ${concern}, is lost`);
      if (!mayBeThere.has(op) && isThere) throw new Violation(`P7: write ${op} was refused and took effect`);
    }
  }
}
