import type { Attempt, Concern } from './cluster.js';
import type { EventQueue } from './event-queue.js';
import type { SeededRandom } from '../../support/seeded-random.js';

/** The world as a client sees it. */
export interface Service {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly areFaultsOver: boolean;
  readonly primaryConcernChance: number;
  newOp(): number;
  write(op: number, concern: Concern, patienceMs: number, settled: (attempt: Attempt) => void): void;
}

const PATIENCE_MS = 2_000;

/** Sends one write after the other, and often repeats an unanswered write with the same key. */
export class SimulatedClient {
  constructor(private readonly world: Service) {}

  start(): void {
    this.next(this.world.newOp());
  }

  private next(op: number): void {
    const { world } = this;
    world.queue.after(20 + world.random.below(250), () => {
      if (world.areFaultsOver) return;
      world.write(op, this.concern(), PATIENCE_MS, ({ outcome }) => {
        const asksAgain = outcome !== 'done' && world.random.chance(0.7);
        this.next(asksAgain ? op : world.newOp());
      });
    });
  }

  private concern(): Concern {
    const { random, primaryConcernChance } = this.world;
    if (random.chance(primaryConcernChance)) return 'primary';
    return random.chance(0.7) ? 'all' : 'majority';
  }
}
