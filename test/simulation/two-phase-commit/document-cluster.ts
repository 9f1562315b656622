import { GENESIS, type ChainPosition } from '../../../src/kernel/index.js';
import { DocumentMachine, type DocumentsSnapshot } from '../../../src/platform/documents/document-machine.js';
import type { CollectionDeclaration, DocumentOp } from '../../../src/platform/documents/index.js';
import type { JournalRecord } from '../../../src/platform/journal/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import { type Cluster, MIN_IN_SYNC, type PrimaryWatcher } from '../replication/cluster.js';
import type { EventQueue } from '../replication/event-queue.js';
import { SimulatedNetwork } from '../replication/simulated-network.js';
import { SimulatedPrimary } from '../replication/simulated-primary.js';
import { SimulatedReplica } from '../replication/simulated-replica.js';
import { recordAfter, type SimulatedRecord, SimulatedStore } from '../replication/simulated-store.js';
import { REAL } from '../replication/variant.js';
import { type Contents, DocumentCopy } from './document-copy.js';

const REPLICA_NAMES = ['a', 'b', 'c', 'd'];

export const COLLECTIONS: readonly CollectionDeclaration[] = [
  { name: 'customers', counterField: 'orders_count' },
  { name: 'users', ids: 'text' },
];

/** The documents of the app: the primary's directory and, in some runs, four replicas of it. */
export class DocumentCluster implements Cluster, Contents {
  readonly network: SimulatedNetwork;
  readonly replicas: readonly SimulatedReplica[];
  readonly copies = new Map<string, DocumentCopy>();
  readonly variant = REAL;
  readonly minInSync: number;
  readonly maxPerMessage: number;
  readonly met = new Set<string>();
  isUnrecoverable = false;
  primaryStore = new SimulatedStore();
  primarySlowness = 1;
  readonly oracles: PrimaryWatcher;
  private readonly ops: { readonly op: DocumentOp; readonly at: number }[] = [];
  private readonly snapshots = new Map<string, DocumentsSnapshot>();
  private starts = 0;

  constructor(
    readonly queue: EventQueue,
    readonly random: SeededRandom,
    isReplicated: boolean,
    readonly newMachine: () => DocumentMachine,
    private readonly events: { primaryDurable(): void; primaryEnded(): void },
  ) {
    this.network = new SimulatedNetwork(queue, random);
    this.maxPerMessage = 1 + random.below(8);
    this.minInSync = isReplicated ? MIN_IN_SYNC : 0;
    this.oracles = {
      primaryDurable: () => {
        events.primaryDurable();
      },
      confirmed: () => undefined,
    };
    const watcher = { replicaChanged: this.follow.bind(this) };
    this.replicas = (isReplicated ? REPLICA_NAMES : []).map((name) => {
      this.copies.set(name, new DocumentCopy(this));
      return new SimulatedReplica(name, queue, random, watcher, REAL.decideReplica);
    });
    for (const replica of this.replicas) replica.start();
  }

  startPrimary(): SimulatedPrimary {
    this.starts += 1;
    return new SimulatedPrimary(this, this.primaryStore, `primary-${this.starts}`);
  }

  primaryEnded(): void {
    this.events.primaryEnded();
  }

  replica(name: string): SimulatedReplica {
    return this.replicas.find((replica) => replica.name === name)!;
  }

  newClusterId(): string {
    return 'cluster-1';
  }

  fsyncMs(): number {
    return (0.5 + this.random.fraction() * 3) * this.primarySlowness;
  }

  follows(position: ChainPosition, record: SimulatedRecord): boolean {
    return record.epoch >= position.epoch && recordAfter(position, record.epoch, record.op).hash === record.hash;
  }

  /** Stores the operation and returns its number in simulated records. Times never go back, as in the journal. */
  numberOf(op: DocumentOp, atMs: number): number {
    const at = Math.max(atMs, this.ops.at(-1)?.at ?? 0);
    return this.ops.push({ op, at });
  }

  recordOf({ epoch, seq, hash, op: number }: SimulatedRecord): JournalRecord<DocumentOp> {
    if (number === 0) {
      const op = { type: 'epoch-started', clusterId: 'cluster-1', primaryId: `primary-${epoch}` } as const;
      return { epoch, seq, hash, at: 0, op };
    }
    return { epoch, seq, hash, ...this.ops[number - 1]! };
  }

  snapshotAt(hash: string): DocumentsSnapshot {
    return this.snapshots.get(hash)!;
  }

  /** See `DocumentHistory`. */
  get firstToldSeq(): number {
    const { primaryStore: store } = this;
    if (store.snapshotSeq === 0) return 1;
    const [oldest] = this.snapshotAt(store.positionAt(store.snapshotSeq).hash).meta.decisions ?? [];
    return oldest ? Number(oldest.place.split('.')[1]) : store.snapshotSeq + 1;
  }

  /** Takes a snapshot of the primary's durable state and shortens the journal. */
  takeSnapshot(machine: DocumentMachine): void {
    this.snapshots.set(machine.appliedPosition.hash, machine.capture());
    this.primaryStore.shorten(this.random);
  }

  takeReplicaSnapshot(replica: SimulatedReplica): void {
    const { machine, seq } = this.copies.get(replica.name)!;
    if (seq === 0 || seq !== replica.store.durable) return;
    this.snapshots.set(machine.appliedPosition.hash, machine.capture());
    replica.store.shorten(this.random);
  }

  private follow(replica: SimulatedReplica, by: 'append' | 'install' | 'set-aside'): void {
    const copy = this.copies.get(replica.name)!;
    if (by === 'install') this.met.add('install');
    const isAnew = by !== 'append' || copy.seq > replica.store.durable;
    if (isAnew) copy.restart(replica.store);
    copy.catchUp(replica.store);
  }

  /** Has no effect on a running process. The memory of a killed process is lost. */
  restartReplica(replica: SimulatedReplica): void {
    if (replica.isUp) return;
    this.copies.get(replica.name)!.restart(replica.store);
    replica.start();
  }
}

export function newMachine(): DocumentMachine {
  return new DocumentMachine(COLLECTIONS, GENESIS);
}
