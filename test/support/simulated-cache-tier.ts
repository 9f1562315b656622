import type { CacheTier } from '../../src/platform/cache/index.js';
import { SeededRandom } from './seeded-random.js';

const MAX_TURNS = 5;

/** A tier outside of this process: it copies the bytes, answers after some turns of the event loop, and fails when told to. */
export class SimulatedCacheTier implements CacheTier {
  isFailing = false;
  reads = 0;
  private readonly entries = new Map<string, Buffer>();
  private readonly random: SeededRandom;
  private readonly calls = new Set<Promise<unknown>>();

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  get(key: string): Promise<Buffer | undefined> {
    this.reads += 1;
    return this.call(() => {
      const bytes = this.entries.get(key);
      return bytes && Buffer.from(bytes);
    });
  }

  set(key: string, bytes: Buffer): Promise<void> {
    const copy = Buffer.from(bytes);
    return this.call(() => void this.entries.set(key, copy));
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    while (this.calls.size > 0) await Promise.allSettled(this.calls);
  }

  private call<T>(work: () => T): Promise<T> {
    const call = this.turns().then(() => {
      if (this.isFailing) throw new Error('the tier is away');
      return work();
    });
    this.calls.add(call);
    void call.catch(() => undefined).then(() => this.calls.delete(call));
    return call;
  }

  private async turns(): Promise<void> {
    const count = 1 + this.random.below(MAX_TURNS);
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
