import type { LamportTime } from '../../../src/kernel/index.js';
import type { Intent, Wanted } from '../../../src/protocols/cluster-client/core/intent.js';
import type { Outcome } from '../../../src/protocols/cluster-client/core/operation.js';
import { metByMajority } from '../../../src/protocols/cluster-client/core/version-bounds.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { type Fault, Network } from './network.js';
import { SimulatedClient } from './simulated-client.js';
import { SimulatedNode } from './simulated-node.js';
import { REAL, type Variant } from './variant.js';

export interface Result {
  /** Undefined when every promise held. */
  readonly violation: string | undefined;
  /** The number of reports of each outcome. */
  readonly reports: ReadonlyMap<Outcome | 'died', number>;
}

class Violation extends Error {}

const NO_FAULT: Fault = { lossChance: 0, errorChance: 0, repeatChance: 0, lateChance: 0, brokenChance: 0 };
const GROUPS = ['a', 'b'];
/** Until the end, only the step that sets a version far ahead touches this group. */
const QUIET_GROUP = 'quiet';
/** The id of a manual change, above all others. */
const FAR_ID = 'zzz';
const FAR: readonly LamportTime[] = [5_000_000, Number.MAX_SAFE_INTEGER];
const BUSY_MS = 2_000;
const LAST_MS = 20_000;

/** The line that repeats a failed run. */
export function describeFailure(seed: number, violation: string): string {
  return `seed ${String(seed)}: ${violation}. Replay: npm run simulate -- --protocol groups --seed ${String(seed)}`;
}

/** One run. The same seed and variant give the same run. */
export function simulate(seed: number, variant: Variant = REAL): Result {
  const world = new World(seed, variant);
  try {
    world.run();
    return { violation: undefined, reports: world.reports };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { violation: error.message, reports: world.reports };
  }
}

class World {
  readonly reports = new Map<Outcome | 'died', number>();
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  private readonly random: SeededRandom;
  private readonly names: readonly string[];
  private readonly clients: readonly SimulatedClient[];
  private readonly dieChance: number;
  private readonly outcomes = new Map<string, Outcome>();
  private made = 0;
  private isOver = false;

  constructor(
    seed: number,
    readonly variant: Variant,
  ) {
    this.random = new SeededRandom(seed);
    const { random } = this;
    const upTo = (max: number): number => (random.chance(0.5) ? random.fraction() * max : 0);
    this.network = new Network(random, {
      ...{ lossChance: upTo(0.2), errorChance: upTo(0.2), repeatChance: upTo(0.3), lateChance: upTo(0.2) },
      brokenChance: upTo(0.8),
    });
    this.names = Array.from({ length: 1 + random.below(4) }, (_, index) => `node-${String(index)}`);
    const hasOld = random.chance(0.2);
    this.nodes = new Map(this.names.map((name) => [name, new SimulatedNode(variant, hasOld && random.chance(0.5))]));
    this.clients = Array.from({ length: 1 + random.below(4) }, () => new SimulatedClient(this));
    this.dieChance = upTo(0.04);
  }

  run(): void {
    const { network, random } = this;
    for (const client of this.clients) this.goOn(client);
    if (random.chance(0.5)) this.breakNodes();
    if (random.chance(0.4)) this.setFarAhead();
    else if (random.chance(0.3)) this.changeAlone();
    if (random.chance(0.3)) this.tryToSetFarAhead();
    network.queue.runUntil(BUSY_MS);
    this.isOver = true;
    network.fault = NO_FAULT;
    for (const name of this.names) network.setDown(name, false);
    // Late messages land before, during and after the repair.
    network.queue.runUntil(LAST_MS);
    for (let round = 0; this.clients.some(({ kept, isBusy }) => isBusy || kept.size > 0); round += 1) {
      if (round > 2) throw new Violation('liveness: an operation stays open though every node answers');
      network.queue.runUntil((round + 2) * LAST_MS);
    }
    this.audit();
    this.raise();
    for (const groupId of [...GROUPS, QUIET_GROUP]) this.changeAtTheEnd(groupId);
    this.audit();
  }

  diesNow(): boolean {
    return !this.isOver && this.random.chance(this.dieChance);
  }

  ended({ id }: Intent, outcome: Outcome): void {
    this.reports.set(outcome, (this.reports.get(outcome) ?? 0) + 1);
    if (outcome === 'open') return;
    this.outcomes.set(id, outcome);
    for (const [name, node] of this.nodes) {
      const isThere = node.stands(id);
      if (outcome === 'done' && !isThere) throw new Violation(`${id} was reported done, but is not on ${name}`);
      if (outcome === 'done' && !node.wasSo(id))
        throw new Violation(`${id} was reported done, but was never on ${name}`);
    }
  }

  /** Every client repairs the operations in its directory, then begins a new one. */
  private goOn(client: SimulatedClient): void {
    const { random, network } = this;
    network.queue.after(1 + random.below(200), () => {
      this.goOn(client);
      if (client.isBusy) return;
      const [open] = client.kept.values();
      if (open !== undefined) client.resume(open);
      else if (!this.isOver) client.begin(this.newId(), this.anything(), this.names);
    });
  }

  private breakNodes(): void {
    const { random, network, names } = this;
    network.queue.after(random.below(400), () => {
      if (this.isOver) return;
      const name = names[random.below(names.length)]!;
      network.setDown(name, !network.isDown(name));
      this.breakNodes();
    });
  }

  /** Some nodes were changed alone before; their groups are the same, but they have met higher versions. */
  private changeAlone(): void {
    for (const node of this.nodes.values()) {
      for (let times = this.random.below(4); times > 0; times -= 1) {
        for (const groupId of GROUPS) {
          node.write(this.newId(), { kind: 'create', groupId });
          node.write(this.newId(), { kind: 'delete', groupId });
        }
      }
    }
  }

  /**
   * Some nodes were set far ahead by hand when nodes accepted any version: either one node with a harmless group, or all
   * except a few that lag.
   */
  private setFarAhead(): void {
    const { random, names } = this;
    const version = FAR[random.below(FAR.length)]!;
    const isOne = random.chance(0.5) && names.length > 1;
    const chosen = isOne ? [names[random.below(names.length)]!] : names.slice(0, Math.floor(names.length / 2) + 1);
    for (const name of chosen) {
      const node = this.nodes.get(name)!;
      node.raise(version);
      node.write(FAR_ID, { kind: 'delete', groupId: isOne ? 'of nobody' : QUIET_GROUP }, version);
    }
  }

  /** Tries to set a version far ahead on a present node while clients work. */
  private tryToSetFarAhead(): void {
    const { random, network, names } = this;
    const node = this.nodes.get(names[random.below(names.length)]!)!;
    network.queue.after(random.below(BUSY_MS), () => {
      if (!node.isOld) node.write(`${FAR_ID} later`, { kind: 'delete', groupId: QUIET_GROUP }, '9007199254740999999');
    });
  }

  /** Raises nodes that lag, like a repair. */
  private raise(): void {
    const nodes = [...this.nodes.values()];
    const majority = metByMajority(nodes.map(({ version }) => version)) ?? 0;
    if (this.variant.raises) for (const node of nodes) node.raise(majority);
  }

  /** Without faults every operation is done. */
  private changeAtTheEnd(groupId: string): void {
    const { network } = this;
    const isThere = [...this.nodes.values()].some((node) => node.groups().includes(groupId));
    const id = this.newId();
    this.clients[0]!.begin(id, { kind: isThere ? 'delete' : 'create', groupId }, this.names);
    network.queue.runUntil(network.queue.nowMs + LAST_MS);
    const outcome = this.outcomes.get(id) ?? 'open';
    if (outcome !== 'done') throw new Violation(`liveness: in the end ${id} on ${groupId} is ${outcome}`);
  }

  private anything(): Wanted {
    const { random } = this;
    if (random.chance(0.08)) return { kind: 'clear' };
    return { kind: random.chance(0.6) ? 'create' : 'delete', groupId: GROUPS[random.below(GROUPS.length)]! };
  }

  private newId(): string {
    this.made += 1;
    return `op-${String(this.made).padStart(4, '0')}`;
  }

  private audit(): void {
    const views = [...this.nodes].map(([name, node]) => `${name} ${node.groups().join(',')}`);
    if (new Set([...this.nodes.values()].map((node) => node.groups().join(','))).size > 1) {
      throw new Violation(`nodes differ: ${views.join('; ')}`);
    }
    for (const [id, outcome] of this.outcomes) {
      for (const [name, node] of this.nodes) {
        const isThere = node.hasEffect(id);
        if (outcome === 'done' && !node.stands(id)) throw new Violation(`${id} was reported done, but ${name} lost it`);
        if (outcome !== 'done' && isThere) throw new Violation(`${id} was reported ${outcome}, but is on ${name}`);
      }
    }
  }
}
