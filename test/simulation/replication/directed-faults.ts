import type { Faults } from './faults.js';
import type { SimulatedReplica } from './simulated-replica.js';
import { SimulatedStore } from './simulated-store.js';
import type { World } from './world.js';

type Schedule = (world: World, faults: Faults) => void;

const STEP_MS = 0.5;
const PATIENCE_MS = 4_000;

/** Lets time pass until `condition` holds. False when it does not, which can happen by chance. */
function until(world: World, condition: () => boolean): boolean {
  const endMs = world.queue.nowMs + PATIENCE_MS;
  while (!condition()) {
    if (world.queue.nowMs > endMs) return false;
    world.runUntil(world.queue.nowMs + STEP_MS);
  }
  return true;
}

/** The four replicas in an order of this run. */
function shuffled({
  replicas,
  random,
}: World): [SimulatedReplica, SimulatedReplica, SimulatedReplica, SimulatedReplica] {
  const order = replicas
    .map((replica) => ({ replica, key: random.fraction() }))
    .sort((one, other) => one.key - other.key);
  const [a, b, c, d] = order.map(({ replica }) => replica);
  return [a!, b!, c!, d!];
}

const areAllInSync = ({ primary }: World): boolean =>
  primary.isOpen && primary.core!.replicas.every(({ condition }) => condition === 'in-sync');

const confirmedCount = ({ attempts }: World): number =>
  attempts.filter(({ outcome, concern }) => outcome === 'done' && concern !== 'primary').length;

function cutOff({ network }: World, ...replicas: readonly SimulatedReplica[]): void {
  for (const { name } of replicas) network.broken.add(`to ${name}`).add(`from ${name}`);
}

/** Two replicas hold the confirmed writes; one loses its disk, the other is away when the primary's disk is lost too. */
const wipedVoter: Schedule = (world, faults) => {
  const [a, b, c, d] = shuffled(world);
  if (!until(world, () => areAllInSync(world))) return;
  cutOff(world, b, c);
  const before = confirmedCount(world);
  if (!until(world, () => confirmedCount(world) > before + 1 && a.store.durable > b.store.durable)) return;
  cutOff(world, a);
  faults.replace(d, new SimulatedStore());
  faults.losePrimary(new SimulatedStore());
  faults.heal(b, c);
  world.runUntil(world.queue.nowMs + 2_500);
};

/** One replica gets a long unconfirmed tail; the others continue in a newer epoch with fewer records. */
const longDeadTail: Schedule = (world, faults) => {
  const [a, b, c, d] = shuffled(world);
  world.maxPerMessage = 8;
  if (!until(world, () => areAllInSync(world))) return;
  cutOff(world, b, c, d);
  world.primaryConcernChance = 0.9;
  if (!until(world, () => a.store.durable > b.store.durable + 8)) return;
  world.primaryConcernChance = 0.1;
  cutOff(world, a);
  faults.heal(b, c, d);
  faults.losePrimary(new SimulatedStore());
  const before = confirmedCount(world);
  if (!until(world, () => confirmedCount(world) > before)) return;
  cutOff(world, d);
  faults.losePrimary(new SimulatedStore());
  faults.heal(a);
  world.runUntil(world.queue.nowMs + 2_000);
};

/** The schedule of Raft's figure 8: an older epoch's record on many replicas is outvoted by a newer epoch's on one. */
const outvotedRecord: Schedule = (world, faults) => {
  const [a, b, c, d] = shuffled(world);
  world.maxPerMessage = 1;
  if (!until(world, () => areAllInSync(world))) return;
  cutOff(world, b, c, d);
  const op = world.newOp();
  world.write(op, 'all', 1_000, () => undefined);
  const holds = ({ store }: SimulatedReplica): boolean => store.log.slice(0, store.durable).some((r) => r.op === op);
  if (!until(world, () => holds(a))) return;
  cutOff(world, a);
  faults.heal(b, c, d);
  faults.losePrimary(new SimulatedStore());
  if (!until(world, () => world.primary.isOpen)) return;
  cutOff(world, c, d);
  const { epoch } = world.primary.core!.identity;
  if (!until(world, () => b.store.position.epoch === epoch)) return;
  cutOff(world, b);
  faults.heal(a, c, d);
  faults.losePrimary(new SimulatedStore());
  if (!until(world, () => world.primary.isOpen)) return;
  let isDone = false;
  for (let i = 0; i < 500 && !isDone; i += 1) {
    world.write(op, 'majority', 1_000, ({ outcome }) => (isDone ||= outcome === 'done'));
    world.runUntil(world.queue.nowMs + STEP_MS);
  }
  cutOff(world, a, c, d);
  world.runUntil(world.queue.nowMs + 20);
  faults.losePrimary(new SimulatedStore());
  faults.heal(b, c, d);
  world.runUntil(world.queue.nowMs + 2_000);
};

/** Snapshots are delayed, repeated and overtaken. */
const lateSnapshots: Schedule = (world, faults) => {
  const { random, network } = world;
  Object.assign(network, { repeatChance: 0.4, slowChance: 0.3, longestDelayMs: 800 });
  for (let i = 0; i < 8; i += 1) {
    const [a] = shuffled(world);
    cutOff(world, a);
    world.runUntil(world.queue.nowMs + 300 + random.below(400));
    world.primaryStore.shorten(random);
    faults.heal(a);
    world.runUntil(world.queue.nowMs + random.below(500));
  }
};

/** The primary's own state becomes wrong: the replicas agree against it. */
const wrongPrimary: Schedule = (world) => {
  if (!until(world, () => areAllInSync(world) && world.primaryStore.durable > 5)) return;
  const { store } = world.primary;
  store.states[store.durable - 1]! ^= 12_345;
  world.runUntil(world.queue.nowMs + 2_500);
};

/** An older primary continues while the next one opens on a copy of its directory. */
const twoPrimaries: Schedule = (world, faults) => {
  const { random } = world;
  for (let i = 0; i < 3; i += 1) {
    if (!until(world, () => areAllInSync(world))) return;
    const [a, b] = shuffled(world);
    faults.all['fail over while the old primary only sleeps']!();
    cutOff(world, ...(random.chance(0.5) ? [a] : [a, b]));
    world.runUntil(world.queue.nowMs + random.below(400));
    faults.heal(a, b);
    world.runUntil(world.queue.nowMs + random.below(1_500));
  }
};

export const DIRECTED: readonly Schedule[] = [
  wipedVoter,
  longDeadTail,
  outvotedRecord,
  lateSnapshots,
  wrongPrimary,
  twoPrimaries,
];
