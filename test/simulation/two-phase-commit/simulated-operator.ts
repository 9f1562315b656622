import { isAppError } from '../../../src/kernel/index.js';
import type { ServedWorld } from './served-world.js';

/** Asks for recoveries and decides by hand: at random during faults, and all remaining transactions at the end. */
export class SimulatedOperator {
  constructor(private readonly world: ServedWorld) {}

  start(): void {
    const { world } = this;
    world.queue.after(100 + world.random.below(1_500), () => {
      if (world.app.isServing) void this.act();
      this.start();
    });
  }

  private async act(): Promise<void> {
    const { world } = this;
    const { areFaultsOver, random, audit } = world;
    const coordinator = world.app.coordinator!;
    try {
      const stories = [...audit.stories.values()];
      if (areFaultsOver || random.chance(0.5) || stories.length === 0) {
        const report = await coordinator.recoverNow();
        world.met.noteRecovery(report);
        if (areFaultsOver) for (const id of report.unmatched) await this.resolve(id);
      } else {
        const isRecent = random.chance(0.7);
        const index = isRecent
          ? stories.length - 1 - random.below(Math.min(6, stories.length))
          : random.below(stories.length);
        await this.resolve(stories[index]!.id);
      }
    } catch (error) {
      if (!isAppError(error)) throw error;
      world.met.note(`recovery: ${error.code}`);
    }
  }

  private async resolve(id: string): Promise<void> {
    const { app, met, random } = this.world;
    const decision = random.chance(0.5) ? 'committed' : 'aborted';
    try {
      await app.coordinator!.resolve(id, decision, { by: 'operator', reason: 'a person knows better' });
      met.note(`resolved: ${decision}`);
    } catch (error) {
      if (!isAppError(error)) throw error;
      met.note(`resolved: ${error.code}`);
    }
  }
}
