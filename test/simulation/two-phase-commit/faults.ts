import { TWO_PHASE_CRASH_SITES } from '../../../src/protocols/two-phase-commit/index.js';
import type { SimulatedReplica } from '../replication/simulated-replica.js';
import type { Crash } from '../replication/simulated-store.js';
import type { DatabaseFile } from './simulated-database.js';
import type { World } from './world.js';

/** Random faults, each of a kind that the protocol promises to survive. */
export class Faults {
  private backup: DatabaseFile | undefined;

  constructor(private readonly world: World) {}

  readonly all: Readonly<Record<string, () => void>> = {
    'kill the app': () => {
      this.kill(this.how());
    },
    'kill the app at a crash site': () => {
      const { random } = this.world;
      const site = TWO_PHASE_CRASH_SITES[random.below(TWO_PHASE_CRASH_SITES.length)]!;
      this.world.ambush = { site, count: 1 + random.below(3) };
    },
    'kill the app, and again in its recovery': () => {
      const { random } = this.world;
      const sites = TWO_PHASE_CRASH_SITES.filter((site) => site.includes('recovery'));
      this.world.ambush = { site: sites[random.below(sites.length)]!, count: 1 + random.below(2) };
      this.kill(this.how());
    },
    'kill the app at its start': () => {
      this.kill(this.how());
      this.later(600, () => {
        this.kill(this.how());
      });
    },
    'crash a replica': () => {
      for (const replica of this.someReplicas(1)) this.crash(replica);
    },
    'crash all replicas': () => {
      for (const replica of this.someReplicas(4)) this.crash(replica);
    },
    'cut replicas off': () => {
      const { random } = this.world;
      for (const { name } of this.someReplicas(1 + random.below(4))) this.cut(name, 3_000);
    },
    'slow disk of a replica': () => {
      for (const replica of this.someReplicas(1)) {
        replica.slowness = 200;
        this.later(2_000, () => (replica.slowness = 1));
      }
    },
    'slow disk of the documents': () => {
      const { cluster } = this.world;
      cluster.primarySlowness = 100;
      this.later(1_500, () => (cluster.primarySlowness = 1));
    },
    'full disk of the documents': () => {
      const { random } = this.world;
      this.world.room = random.chance(0.6) ? 'reserve' : 'none';
      this.later(2_000, () => (this.world.room = 'plenty'));
    },
    'snapshot of the documents': () => {
      this.world.app.snapshot();
    },
    'snapshot of a replica': () => {
      for (const replica of this.someReplicas(1)) this.world.cluster.takeReplicaSnapshot(replica);
    },
    'database that takes no writes': () => {
      const { database, random } = this.world;
      database.condition = random.chance(0.5) ? 'full' : 'read-only';
      this.later(3_000, () => (database.condition = 'well'));
    },
    'slow commits': () => {
      const { database } = this.world;
      database.slowChance = 0.3;
      this.later(4_000, () => (database.slowChance = 0));
    },
    'commits of unknown outcome': () => {
      const { database } = this.world;
      database.lostChance = 0.2;
      this.later(1_500, () => (database.lostChance = 0));
    },
    'crash the ledger': () => {
      const { ledger } = this.world;
      ledger?.stop();
      this.later(1_500, () => ledger?.start());
    },
    'cut the ledger off': () => {
      this.cut('ledger', 2_000);
    },
    'full ledger': () => {
      const { ledger } = this.world;
      if (!ledger) return;
      ledger.refusalChance = 0.5;
      this.later(2_000, () => (ledger.refusalChance = 0));
    },
    'jump of the clock': () => {
      const { random } = this.world;
      this.world.clockOffsetMs += (random.below(60) - 20) * 3_600_000;
    },
    'back up the database': () => {
      this.backup = this.world.database.copy();
    },
    'put the database back in time': () => {
      if (this.backup) this.world.putDatabaseBack(this.backup);
    },
  };

  end(): void {
    const { cluster, database, ledger, world } = { ...this.world, world: this.world };
    Object.assign(cluster.network, { lossChance: 0, repeatChance: 0, slowChance: 0 });
    cluster.network.broken.clear();
    cluster.primarySlowness = 1;
    Object.assign(database, { condition: 'well', slowChance: 0, lostChance: 0 });
    world.room = 'plenty';
    world.ambush = undefined;
    if (ledger) ledger.refusalChance = 0;
    ledger?.start();
    for (const replica of cluster.replicas) {
      replica.slowness = 1;
      cluster.restartReplica(replica);
    }
  }

  private kill(how: Crash): void {
    this.world.appEnded(this.world.app, how, how);
  }

  private crash(replica: SimulatedReplica): void {
    replica.stop(this.how());
    this.later(1_500, () => {
      this.world.cluster.restartReplica(replica);
    });
  }

  private cut(name: string, withinMs: number): void {
    const { broken } = this.world.cluster.network;
    const link = this.world.random.chance(0.5) ? 'to' : 'from';
    broken.add(`${link} ${name}`);
    this.later(withinMs, () => broken.delete(`${link} ${name}`));
  }

  private someReplicas(count: number): readonly SimulatedReplica[] {
    const { cluster, random } = this.world;
    const first = random.below(4);
    return cluster.replicas.map((_, index) => cluster.replicas[(index + first) % 4]!).slice(0, count);
  }

  private how(): Crash {
    return this.world.random.chance(0.5) ? 'kill' : 'power';
  }

  private later(withinMs: number, action: () => void): void {
    this.world.queue.after(this.world.random.below(withinMs), action);
  }
}
