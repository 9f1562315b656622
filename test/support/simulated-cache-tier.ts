import type { CacheGeneration, Claim, SharedCacheTier } from '../../src/platform/cache/index.js';
import { SeededRandom } from './seeded-random.js';

const MAX_TURNS = 5;
const LEASE_MS = 200;

/** A tier that processes share: it copies the bytes, answers after some turns of the event loop, and fails when told to. */
export class SimulatedCacheTier implements SharedCacheTier {
  readonly name = 'shared';
  isAvailable = true;
  isFailing = false;
  /** How often a value was looked for. */
  reads = 0;
  private readonly entries = new Map<string, { readonly bytes: Buffer; readonly of: CacheGeneration }>();
  private readonly leases = new Map<string, { readonly owner: string; readonly endsMs: number }>();
  private readonly random: SeededRandom;
  private readonly calls = new Set<Promise<unknown>>();

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  get keys(): readonly string[] {
    return [...this.entries.keys()];
  }

  get(key: string): Promise<Buffer | undefined> {
    this.reads += 1;
    return this.call(() => this.copyOf(key));
  }

  claim(key: string, owner: string): Promise<Claim> {
    return this.call(() => {
      const bytes = this.copyOf(key);
      if (bytes !== undefined) return bytes;
      const lease = this.leases.get(key);
      if (lease !== undefined && performance.now() < lease.endsMs) return 'wait';
      this.leases.set(key, { owner, endsMs: performance.now() + LEASE_MS });
      return 'load';
    });
  }

  set(key: string, bytes: Buffer, of: CacheGeneration, owner?: string): Promise<void> {
    const copy = Buffer.from(bytes);
    return this.call(() => {
      this.entries.set(key, { bytes: copy, of });
      this.endLease(key, owner);
    });
  }

  release(key: string, owner: string): Promise<void> {
    return this.call(() => {
      this.endLease(key, owner);
    });
  }

  remove(key: string): Promise<void> {
    return this.call(() => void this.entries.delete(key));
  }

  removeBefore({ group, generation }: CacheGeneration): Promise<void> {
    return this.call(() => {
      for (const [key, { of }] of this.entries) {
        if (of.group === group && of.generation < generation) this.entries.delete(key);
      }
    });
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    while (this.calls.size > 0) await Promise.allSettled(this.calls);
  }

  private copyOf(key: string): Buffer | undefined {
    const entry = this.entries.get(key);
    return entry && Buffer.from(entry.bytes);
  }

  private endLease(key: string, owner: string | undefined): void {
    if (this.leases.get(key)?.owner === owner) this.leases.delete(key);
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
