import type { Random } from '../../src/kernel/index.js';

/** In a test, each look at a global object is slow. */
const { imul, floor } = Math;

/**
 * The same seed gives the same run. Mulberry32 by Tommy Ettinger (2017, public domain): 32 bits of state, good enough
 * to choose faults with and never meant for secrets.
 */
export class SeededRandom implements Random {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** At least 0, below 1. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, at least 0 and below `limit`. */
  below(limit: number): number {
    return floor(this.fraction() * limit);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Runs `trial` once per seed from `first` on; a failure names its seed, so that it can be replayed alone. */
export async function forEachSeed(
  first: number,
  count: number,
  trial: (random: SeededRandom) => Promise<void>,
): Promise<void> {
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      await trial(new SeededRandom(seed));
    } catch (error) {
      throw new Error(`seed ${String(seed)}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}
