import type { ChainPosition } from '../../../src/kernel/index.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { type Attempt, type Cluster, type Concern, MIN_IN_SYNC } from './cluster.js';
import { EventQueue } from './event-queue.js';
import { Oracles, Violation } from './oracles.js';
import { SimulatedClient } from './simulated-client.js';
import { SimulatedNetwork } from './simulated-network.js';
import { SimulatedPrimary } from './simulated-primary.js';
import { SimulatedReplica } from './simulated-replica.js';
import { type Crash, recordAfter, type SimulatedRecord, SimulatedStore } from './simulated-store.js';
import type { Variant } from './variant.js';

const REPLICA_NAMES = ['a', 'b', 'c', 'd'];
const CLIENTS = 3;
/** The limit after the last fault until all replicas are in sync and a new write is confirmed. */
const SETTLE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** One simulated cluster with its clients, operator and supervisor. */
export class World implements Cluster {
  readonly queue = new EventQueue();
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly oracles = new Oracles();
  readonly replicas: readonly SimulatedReplica[];
  readonly attempts: Attempt[] = [];
  /** All primaries that were started; the supervisor watches the last one. */
  readonly primaries: SimulatedPrimary[] = [];
  readonly minInSync = MIN_IN_SYNC;
  primaryStore = new SimulatedStore();
  primarySlowness = 1;
  maxPerMessage: number;
  primaryConcernChance = 0.15;
  areFaultsOver = false;
  isUnrecoverable = false;
  /** The primary's directory was lost or replaced, or there were two of them. */
  wasPrimaryReplaced = false;
  readonly met = new Set<string>();
  private ops = 0;
  private clusters = 0;

  constructor(
    seed: number,
    readonly variant: Variant,
  ) {
    this.random = new SeededRandom(seed);
    this.network = new SimulatedNetwork(this.queue, this.random);
    this.maxPerMessage = 1 + this.random.below(8);
    this.replicas = REPLICA_NAMES.map(
      (name) => new SimulatedReplica(name, this.queue, this.random, this.oracles, variant.decideReplica),
    );
    for (const replica of this.replicas) replica.start();
    this.startPrimary();
    for (let i = 0; i < CLIENTS; i += 1) new SimulatedClient(this).start();
  }

  get primary(): SimulatedPrimary {
    return this.primaries.at(-1)!;
  }

  get alivePrimaries(): readonly SimulatedPrimary[] {
    return this.primaries.filter(({ isAlive }) => isAlive);
  }

  replica(name: string): SimulatedReplica {
    return this.replicas.find((replica) => replica.name === name)!;
  }

  newOp(): number {
    return (this.ops += 1);
  }

  newClusterId(): string {
    return `cluster-${(this.clusters += 1)}`;
  }

  fsyncMs(): number {
    return (0.5 + this.random.fraction() * 3) * this.primarySlowness;
  }

  follows(position: ChainPosition, record: SimulatedRecord): boolean {
    return record.epoch >= position.epoch && recordAfter(position, record.epoch, record.op).hash === record.hash;
  }

  startPrimary(): void {
    const primaryId = `primary-${this.primaries.length + 1}`;
    this.primaries.push(new SimulatedPrimary(this, this.primaryStore, primaryId));
  }

  /** Ends the primary of the present directory; the supervisor starts another. */
  crashPrimary(how: Crash, change: () => void = () => undefined): void {
    this.primary.stop(how);
    change();
    this.restartPrimary();
  }

  /** A primary ended itself. The supervisor restarts only the last one. */
  primaryEnded(primary: object): void {
    if (primary === this.primary) this.restartPrimary();
  }

  write(op: number, concern: Concern, patienceMs: number, settled: (attempt: Attempt) => void): void {
    const attempt: Attempt = { op, concern, outcome: 'unknown' };
    this.attempts.push(attempt);
    let isWaiting = true;
    const settle = (): void => {
      if (isWaiting) settled(attempt);
      isWaiting = false;
    };
    const alive = this.alivePrimaries;
    const isStray = alive.length > 1 && this.random.chance(0.4);
    const primary = isStray ? alive[this.random.below(alive.length)]! : this.primary;
    primary.submit(op, concern, (outcome) => {
      // A client that closed its connection gets no answer, but the answer binds nevertheless.
      attempt.outcome = outcome.kind;
      settle();
    });
    this.queue.after(patienceMs, settle);
  }

  runUntil(atMs: number): void {
    this.queue.runUntil(atMs);
  }

  /** Ends the faults: all replicas must be in sync and a write confirmed under `all`. Returns the time this took. */
  settle(): number {
    const beganMs = this.queue.nowMs;
    this.areFaultsOver = true;
    const last = { op: this.newOp(), isDone: false };
    this.writeLast(last);
    while (!(last.isDone && this.isQuiet())) {
      if (this.queue.nowMs - beganMs > SETTLE_WITHIN_MS) {
        if (this.isUnrecoverable) return -1;
        throw new Violation(`liveness: ${this.describe()}`);
      }
      this.runUntil(this.queue.nowMs + LOOK_EVERY_MS);
    }
    this.oracles.settled(this.primary, this.replicas, this.attempts, this.wasPrimaryReplaced);
    return this.queue.nowMs - beganMs;
  }

  private writeLast(last: { readonly op: number; isDone: boolean }): void {
    this.write(last.op, 'all', 1_000, ({ outcome }) => {
      last.isDone = outcome === 'done';
      if (!last.isDone) {
        this.queue.after(LOOK_EVERY_MS, () => {
          this.writeLast(last);
        });
      }
    });
  }

  private isQuiet(): boolean {
    const { core, store } = this.primary;
    if (!core || this.alivePrimaries.length > 1 || store.durable !== store.log.length) return false;
    if (core.replicas.some(({ condition }) => condition !== 'in-sync')) return false;
    // The next comparison finds a tampered state.
    return this.replicas.every(
      (replica) =>
        replica.store.durable === store.durable &&
        replica.store.stateAt(store.durable) === store.stateAt(store.durable),
    );
  }

  private describe(): string {
    const { core, isAlive } = this.primary;
    if (!core) return `no primary opens (${this.alivePrimaries.length} alive, the last one ${isAlive ? 'too' : 'not'})`;
    const views = core.replicas.map(
      ({ name, condition, lastError }) => `${name} ${condition}${lastError === undefined ? '' : ` (${lastError})`}`,
    );
    return `${this.alivePrimaries.length} primaries, confirmed ${core.confirmed.all} of ${core.durableSeq}; ${views.join(', ')}`;
  }

  private restartPrimary(): void {
    const ended = this.primaries.length;
    this.queue.after(50 + this.random.below(400), () => {
      if (this.primaries.length === ended && !this.primary.isAlive) this.startPrimary();
    });
  }
}
