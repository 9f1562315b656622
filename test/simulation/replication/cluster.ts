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

/** One request of a client, and its known outcome at the end. */
export interface Attempt {
  readonly op: number;
  readonly concern: Concern;
  outcome: 'done' | 'refused' | 'unknown';
}

export interface HasStore {
  readonly store: SimulatedStore;
}

export interface PrimaryWatcher {
  /** More records of this primary are durable. */
  primaryDurable(primary: HasStore, identity: PrimaryIdentity): void;
  /** A client is about to receive the answer that a write is done. */
  confirmed(primary: HasStore, core: PrimaryState, concern: Concern, position: ChainPosition): void;
}

/** The world as a process sees it. */
export interface Cluster {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly oracles: PrimaryWatcher;
  readonly replicas: readonly SimulatedReplica[];
  readonly variant: Variant;
  readonly minInSync: number;
  readonly maxPerMessage: number;
  /** The decisions and effects of the cores in this run, by name. */
  readonly met: Set<string>;
  /** An operator's recovery was refused for good: too few replicas can vote. */
  isUnrecoverable: boolean;
  replica(name: string): SimulatedReplica;
  newClusterId(): string;
  fsyncMs(): number;
  follows(position: ChainPosition, record: SimulatedRecord): boolean;
  /** The process ended itself. */
  primaryEnded(primary: object): void;
}

/** A primary process that has no epoch yet. */
export interface Opener extends HasStore {
  readonly world: Cluster;
  readonly primaryId: string;
  after(delayMs: number, action: () => void): void;
  ask(replica: SimulatedReplica, sent: Sent, timeoutMs: number, settle: (reply: Reply | undefined) => void): void;
  /** This process owns `epoch` now. */
  open(epoch: number): void;
}
