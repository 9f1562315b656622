import { Violation } from '../replication/oracles.js';
import { auditAtRest } from './audit-at-rest.js';
import type { Coverage } from './coverage.js';
import { DIRECTED } from './directed-faults.js';
import { Faults } from './faults.js';
import { SimulatedClient } from './simulated-client.js';
import { SimulatedOperator } from './simulated-operator.js';
import { REAL, type Variant } from './variant.js';
import { World } from './world.js';

export interface Outcome {
  /** Undefined when every promise held. */
  readonly violation: string | undefined;
  /** Simulated time from the last fault until the end of all work. */
  readonly settledInMs: number;
  readonly committed: number;
  readonly met: Coverage;
}

const CLIENTS = 3;
const FIRST_FAULT_MS = 250;

/** The line that repeats a failed run. */
export function describeFailure(seed: number, violation: string): string {
  return `seed ${seed}: ${violation}. Replay: npm run simulate -- --protocol two-phase-commit --seed ${seed}`;
}

/** One run. The same seed and variant give the same run. */
export async function simulate(seed: number, variant: Variant = REAL): Promise<Outcome> {
  const world = new World(seed, variant);
  for (let client = 0; client < CLIENTS; client += 1) new SimulatedClient(world).start();
  new SimulatedOperator(world).start();
  const faults = new Faults(world);
  let settledInMs = -1;
  let violation: string | undefined;
  try {
    // Every fourth run follows a path that random faults rarely reach.
    const directed = seed % 4 === 0 ? DIRECTED[(seed / 4) % DIRECTED.length] : undefined;
    if (directed) await directed(world, faults);
    else await runAtRandom(world, faults);
    faults.end();
    settledInMs = await world.settle();
    violation = await auditAtRest(world);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  }
  for (const what of world.cluster.met) world.met.note(`replication: ${what}`);
  const committed = [...world.audit.stories.values()].filter(({ row }) => row === 'committed').length;
  return { violation, settledInMs, committed, met: world.met };
}

/** Each run has few kinds of faults, and often: otherwise the kinds would hide each other. */
async function runAtRandom(world: World, faults: Faults): Promise<void> {
  const { random, cluster } = world;
  const { network } = cluster;
  if (random.chance(0.5)) network.lossChance = random.fraction() * 0.1;
  if (random.chance(0.5)) network.repeatChance = random.fraction() * 0.3;
  if (random.chance(0.5)) network.slowChance = random.fraction() * 0.1;
  const kinds = Object.values(faults.all).filter(() => random.chance(0.35));
  const lastFaultMs = 1_000 + random.below(3_500);
  const everyMs = 100 + random.below(500);
  await world.runUntil(FIRST_FAULT_MS);
  while (world.queue.nowMs < lastFaultMs) {
    await world.runUntil(world.queue.nowMs + random.below(2 * everyMs));
    kinds[random.below(Math.max(1, kinds.length))]?.();
  }
}
