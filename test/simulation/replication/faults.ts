import type { SimulatedReplica } from './simulated-replica.js';
import { SimulatedStore } from './simulated-store.js';
import type { World } from './world.js';

type Position = Readonly<Record<'epoch' | 'seq', number>>;

/**
 * Random faults, each of a kind that the protocol promises to survive. The primary's disk is lost only while a quorum of
 * replicas can vote and did not go back in time, and no replica has a wrong state that could be chosen. A replica's disk is
 * lost or replaced only while there is one primary.
 */
export class Faults {
  private readonly backups = new Map<string, SimulatedStore>();
  /** The former positions of replicas that were replaced by an older copy. */
  private readonly stale = new Map<SimulatedReplica, Position>();
  private isPrimaryLost = false;
  private tampered = 0;

  constructor(private readonly world: World) {}

  readonly all: Readonly<Record<string, () => void>> = {
    'crash a replica': () => {
      this.crash(this.anyReplica());
    },
    'crash all replicas': () => {
      for (const replica of this.world.replicas) this.crash(replica);
    },
    'crash everything': () => {
      for (const replica of this.world.replicas) this.crash(replica);
      this.world.crashPrimary('power');
    },
    'restart the primary': () => {
      this.world.crashPrimary(this.world.random.chance(0.5) ? 'kill' : 'power');
    },
    'cut links': () => {
      this.cut(0.3);
    },
    'cut a replica off': () => {
      this.isolate(this.anyReplica());
    },
    'slow disk': () => {
      const replica = this.anyReplica();
      replica.slowness = 200;
      this.later(2_000, () => (replica.slowness = 1));
    },
    'slow disk of the primary': () => {
      this.world.primarySlowness = 100;
      this.later(1_500, () => (this.world.primarySlowness = 1));
    },
    'shorten the primary’s journal': () => {
      this.world.primaryStore.shorten(this.world.random);
    },
    'shorten a replica’s journal': () => {
      this.anyReplica().store.shorten(this.world.random);
    },
    'wipe a replica': () => {
      if (!this.mayLoseReplica()) return;
      this.replace(this.anyReplica(), new SimulatedStore());
    },
    'put a replica back in time': () => {
      const replica = this.anyReplica();
      const backup = this.backups.get(replica.name);
      if (!backup || !this.mayLoseReplica()) return;
      this.stale.set(replica, replica.store.position);
      this.replace(replica, backup.copy());
    },
    'tamper with a replica': () => {
      const { store } = this.anyReplica();
      if (this.tampered >= 2 || store.durable === 0 || !this.world.primary.isOpen) return;
      this.tampered += 1;
      store.states[store.durable - 1]! ^= 1 + this.world.random.below(1_000_000);
    },
    'wipe the primary': () => {
      if (this.mayLosePrimary()) this.losePrimary(new SimulatedStore());
    },
    'put the primary back in time': () => {
      const backup = this.backups.get('primary');
      if (backup && this.mayLosePrimary()) this.losePrimary(backup.copy());
    },
    'fail over while the old primary only sleeps': () => {
      const { world } = this;
      const old = world.primary;
      if (!old.isOpen || world.alivePrimaries.length > 1 || this.voters() < 4) return;
      old.pause();
      world.wasPrimaryReplaced = true;
      world.primaryStore = old.store.copy();
      world.startPrimary();
      this.later(world.random.chance(0.5) ? 300 : 2_500, () => {
        old.resume();
      });
    },
  };

  takeBackups(): void {
    const { replicas, primaryStore, random } = this.world;
    if (random.chance(0.5)) this.backups.set('primary', primaryStore.copy());
    for (const { name, store } of replicas) if (random.chance(0.3)) this.backups.set(name, store.copy());
  }

  crash(replica: SimulatedReplica): void {
    replica.stop(this.world.random.chance(0.5) ? 'kill' : 'power');
    this.later(1_500, () => {
      replica.start();
    });
  }

  isolate(...replicas: readonly SimulatedReplica[]): void {
    for (const { name } of replicas) this.world.network.broken.add(`to ${name}`).add(`from ${name}`);
    this.later(3_000, () => {
      this.heal(...replicas);
    });
  }

  heal(...replicas: readonly SimulatedReplica[]): void {
    for (const { name } of replicas) {
      this.world.network.broken.delete(`to ${name}`);
      this.world.network.broken.delete(`from ${name}`);
    }
  }

  replace(replica: SimulatedReplica, store: SimulatedStore): void {
    replica.stop('kill');
    replica.store = store;
    this.world.oracles.replicaReplaced(replica);
    this.later(500, () => {
      replica.start();
    });
  }

  losePrimary(store: SimulatedStore): void {
    const { world } = this;
    this.isPrimaryLost = true;
    world.wasPrimaryReplaced = true;
    world.crashPrimary('kill', () => {
      world.primaryStore = store;
    });
  }

  /** The number of replicas that hold everything that they ever acknowledged. */
  voters(): number {
    for (const [replica, { epoch, seq }] of this.stale) {
      const { position } = replica.store;
      if (position.epoch > epoch || (position.epoch === epoch && position.seq >= seq)) this.stale.delete(replica);
    }
    return this.world.replicas.filter((each) => each.store.promise.canVote && !this.stale.has(each)).length;
  }

  end(): void {
    const { network, replicas, primaries } = this.world;
    Object.assign(network, { lossChance: 0, repeatChance: 0, slowChance: 0 });
    network.broken.clear();
    this.world.primarySlowness = 1;
    for (const replica of replicas) {
      replica.slowness = 1;
      replica.start();
    }
    for (const primary of primaries) primary.resume();
  }

  private mayLoseReplica(): boolean {
    if (this.isPrimaryLost && this.world.primary.isOpen) this.isPrimaryLost = false;
    // A lost disk forgets its promise: an older primary that still runs could use it.
    const isAlone = this.world.alivePrimaries.every((each) => each === this.world.primary);
    return !this.isPrimaryLost && isAlone && this.voters() === 4;
  }

  private mayLosePrimary(): boolean {
    const { attempts, primary, replicas } = this.world;
    const hasConfirmed = attempts.some(({ outcome, concern }) => outcome === 'done' && concern !== 'primary');
    const isSound = this.voters() >= 3 && this.stale.size === 0 && !replicas.some(({ store }) => store.isTampered());
    return hasConfirmed && primary.isOpen && isSound;
  }

  private cut(share: number): void {
    const { network, random, replicas } = this.world;
    for (const { name } of replicas) {
      for (const link of [`to ${name}`, `from ${name}`]) {
        if (!random.chance(share)) continue;
        network.broken.add(link);
        this.later(3_000, () => network.broken.delete(link));
      }
    }
  }

  private anyReplica(): SimulatedReplica {
    return this.world.replicas[this.world.random.below(this.world.replicas.length)]!;
  }

  private later(withinMs: number, action: () => void): void {
    this.world.queue.after(this.world.random.below(withinMs), action);
  }
}
