import { eventually } from './eventually.js';
import type { RecordedShop } from './recorded-shop.js';
import { race, type Race } from './shop-race.js';

const WITHIN_MS = 120_000;

/** How far a race has come; a fault waits for more of it, never for a time. */
export class RaceProgress {
  constructor(private readonly shop: RecordedShop) {}

  /** Resolves when so many more reads and writes were answered. */
  async more(reads: number, writes: number): Promise<void> {
    const [readsBefore, writesBefore] = [this.shop.count(/^GET 200/), this.shop.count(/^PUT 200/)];
    await this.until(
      () => [this.shop.count(/^GET 200/) - readsBefore, this.shop.count(/^PUT 200/) - writesBefore],
      [reads, writes],
    );
  }

  /** Resolves when so many more reads came from Redis. */
  async hits(reads: number): Promise<void> {
    const before = this.shop.readsFrom('redis');
    await this.until(() => [this.shop.readsFrom('redis') - before], [reads]);
  }

  private async until(counts: () => readonly number[], wanted: readonly number[]): Promise<void> {
    await eventually(
      () => {
        const reached = counts();
        if (reached.some((count, index) => count < wanted[index]!)) {
          throw new Error(`the race did not get on: ${reached.join(', ')} of ${wanted.join(', ')} answers`);
        }
      },
      { withinMs: WITHIN_MS },
    );
  }
}

/** Races until `faults` are over. Rejects with the first error of either. */
export async function raceUnderFaults(
  runners: Omit<Race, 'isOver'>,
  faults: (progress: RaceProgress) => Promise<void>,
): Promise<void> {
  let isOver = false;
  const injecting = faults(new RaceProgress(runners.shop)).finally(() => (isOver = true));
  await Promise.all([race({ ...runners, isOver: () => isOver }), injecting]);
}
