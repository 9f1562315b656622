import { DIRECTED } from './directed-faults.js';
import { Faults } from './faults.js';
import { Violation } from './oracles.js';
import { REAL, type Variant } from './variant.js';
import { World } from './world.js';

export interface Outcome {
  /** Undefined when every promise held. */
  readonly violation: string | undefined;
  /** Simulated time from the last fault until the end of all work; -1 when too few replicas could vote. */
  readonly settledInMs: number;
  readonly confirmed: number;
  /** See `Cluster.met`. */
  readonly met: ReadonlySet<string>;
}

const FIRST_FAULT_MS = 400;

/** The line that repeats a failed run. */
export function describeFailure(seed: number, violation: string): string {
  return `seed ${seed}: ${violation}. Replay: npm run simulate -- --seed ${seed}`;
}

/** One run. The same seed and variant give the same run. */
export function simulate(seed: number, variant: Variant = REAL): Outcome {
  const world = new World(seed, variant);
  const faults = new Faults(world);
  let settledInMs = -1;
  let violation: string | undefined;
  try {
    // Every fourth run follows a path that random faults rarely reach.
    const directed = seed % 4 === 0 ? DIRECTED[(seed / 4) % DIRECTED.length] : undefined;
    if (directed) directed(world, faults);
    else runAtRandom(world, faults);
    faults.end();
    settledInMs = world.settle();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  }
  const confirmed = world.attempts.filter(({ outcome }) => outcome === 'done').length;
  return { violation, settledInMs, confirmed, met: world.met };
}

/** Each run has few kinds of faults, and often: otherwise the kinds would hide each other. */
function runAtRandom(world: World, faults: Faults): void {
  const { random, network } = world;
  if (random.chance(0.5)) network.lossChance = random.fraction() * 0.15;
  if (random.chance(0.5)) network.repeatChance = random.fraction() * 0.3;
  if (random.chance(0.5)) network.slowChance = random.fraction() * 0.15;
  const kinds = Object.values(faults.all).filter(() => random.chance(0.35));
  const lastFaultMs = 2_500 + random.below(7_500);
  const everyMs = 150 + random.below(700);
  world.runUntil(FIRST_FAULT_MS);
  while (world.queue.nowMs < lastFaultMs) {
    world.runUntil(world.queue.nowMs + random.below(2 * everyMs));
    faults.takeBackups();
    kinds[random.below(Math.max(1, kinds.length))]?.();
  }
}
