import type { ChainPosition } from '../../../src/kernel/index.js';
import type { PrimaryIdentity, PrimaryState } from '../../../src/protocols/replication/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import type { EventQueue } from './event-queue.js';
import type { Reply, Sent, SimulatedNetwork } from './simulated-network.js';
import type { SimulatedReplica } from './simulated-replica.js';
import type { SimulatedRecord, SimulatedStore } from './simulated-store.js';
import type { Variant } from './variant.js';

export const MIN_IN_SYNC = 2;

export type Concern = 'all' | 'majority' | 'primary';

/** One request of a client, and what it knows of it in the end. */
export interface Attempt {
  readonly op: number;
  readonly concern: Concern;
  told: 'done' | 'refused' | 'unknown';
}

export interface HasStore {
  readonly store: SimulatedStore;
}

export interface PrimaryWatcher {
  /** Something is durable on this primary that was not before. */
  primaryDurable(primary: HasStore, identity: PrimaryIdentity): void;
  /** A client is about to be told that a write is done. */
  confirmed(primary: HasStore, core: PrimaryState, concern: Concern, position: ChainPosition): void;
}

/** What a process sees of the world around it. */
export interface Cluster {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly oracles: PrimaryWatcher;
  readonly replicas: readonly SimulatedReplica[];
  readonly variant: Variant;
  readonly minInSync: number;
  readonly maxPerMessage: number;
  /** What came about in this run: decisions and effects of the cores, by their names. */
  readonly met: Set<string>;
  /** An operator's recovery was refused for good: too few replicas can vouch. */
  isUnrecoverable: boolean;
  replica(name: string): SimulatedReplica;
  newClusterId(): string;
  fsyncMs(): number;
  follows(position: ChainPosition, record: SimulatedRecord): boolean;
  /** It ended itself. */
  primaryEnded(primary: object): void;
}

/** A primary process that has no epoch yet. */
export interface Opener extends HasStore {
  readonly world: Cluster;
  readonly primaryId: string;
  after(delayMs: number, action: () => void): void;
  ask(replica: SimulatedReplica, sent: Sent, timeoutMs: number, settle: (reply: Reply | undefined) => void): void;
  /** `epoch` is this process's own now. */
  open(epoch: number): void;
}
