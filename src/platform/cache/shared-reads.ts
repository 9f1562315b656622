import { LimitedWarnings, type Log, type Random, type Timers } from '../../kernel/index.js';
import type { CacheGeneration, SharedCacheTier } from './cache-tier.js';

/** How long a read waits for another process that loads the same value, before it loads by itself. */
const MAX_WAIT_MS = 150;
const LOOK_AGAIN_AFTER_MS = 5;
const OWNER_BYTES = 9;

export interface SharedTierOptions<V> {
  readonly tier: SharedCacheTier;
  readonly encode: (value: V) => Buffer;
  /** Throws when the bytes are damaged, which counts as a miss. */
  readonly decode: (bytes: Buffer) => V;
  readonly ports: {
    readonly log: Log;
    readonly random: Random;
    readonly timers: Timers;
    readonly nowMs: () => number;
  };
  /** Preset: MAX_WAIT_MS. */
  readonly maxWaitMs?: number;
}

export interface SharedEntry extends CacheGeneration {
  readonly key: string;
}

/** What a load gave, and of which entry it is: a write may have moved the generation since the read began. */
export interface LoadedEntry<V> extends SharedEntry {
  readonly value: V;
  /** Whether this is still the current generation. */
  readonly isCurrent: () => boolean;
}

export interface SharedCounts {
  hits: number;
  misses: number;
  errors: number;
}

/**
 * Reads and writes values of a shared tier. A failure of the tier is a logged miss. While one process loads a value, the others
 * wait for it, at most MAX_WAIT_MS.
 */
export class SharedReads<V> {
  readonly counts: SharedCounts = { hits: 0, misses: 0, errors: 0 };
  private readonly owner: string;
  private readonly warnings: LimitedWarnings;
  private number = 0;

  constructor(private readonly options: SharedTierOptions<V>) {
    const { log, random, nowMs } = options.ports;
    this.owner = Buffer.from(random.bytes(OWNER_BYTES)).toString('base64url');
    this.warnings = new LimitedWarnings(log, nowMs);
  }

  get name(): string {
    return this.options.tier.name;
  }

  get isAvailable(): boolean {
    return this.options.tier.isAvailable;
  }

  /** Resolves to a value of the tier, or to the owner of a load by the caller, who passes it to `keep`. Never rejects. */
  async find(key: string): Promise<{ readonly value: V } | { readonly owner: string }> {
    const { tier } = this.options;
    const bytes = await this.attempt('read', key, () => tier.get(key));
    const value = bytes && this.decoded(key, bytes);
    if (value !== undefined) {
      this.counts.hits += 1;
      return { value };
    }
    const owner = `${this.owner}-${String((this.number += 1))}`;
    const claimed = await this.claimed(key, owner);
    if (claimed === undefined) this.counts.misses += 1;
    else this.counts.hits += 1;
    return claimed === undefined ? { owner } : { value: claimed };
  }

  /**
   * Keeps a loaded value, and removes it again if its generation ended meanwhile. A failure ends the lease, so that nobody waits for
   * the value. Never rejects.
   */
  async keep(asked: string, loaded: LoadedEntry<V>, owner: string): Promise<void> {
    const { tier, encode } = this.options;
    const { key, value } = loaded;
    if (key !== asked) void this.release(asked, owner);
    const isSet = await this.attempt('write', key, () => tier.set(key, encode(value), loaded, owner).then(() => true));
    if (!isSet) void this.release(key, owner);
    await this.attempt('write', key, async () => {
      if (!loaded.isCurrent()) await tier.remove(key);
    });
  }

  /** Lets another process load. Never rejects. */
  async release(key: string, owner: string): Promise<void> {
    await this.attempt('write', key, () => this.options.tier.release(key, owner));
  }

  /** Undefined: the caller loads. */
  private async claimed(key: string, owner: string): Promise<V | undefined> {
    const { tier, ports, maxWaitMs = MAX_WAIT_MS } = this.options;
    const giveUpAtMs = ports.nowMs() + maxWaitMs;
    for (;;) {
      const claim = await this.attempt('read', key, () => tier.claim(key, owner));
      if (Buffer.isBuffer(claim)) return this.decoded(key, claim);
      if (claim !== 'wait' || ports.nowMs() >= giveUpAtMs) return undefined;
      await this.pause();
    }
  }

  private decoded(key: string, bytes: Buffer): V | undefined {
    try {
      return this.options.decode(bytes);
    } catch (error) {
      this.failed('read', key, error);
      return undefined;
    }
  }

  private async attempt<T>(what: 'read' | 'write', key: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      this.failed(what, key, error);
      return undefined;
    }
  }

  private failed(what: 'read' | 'write', key: string, error: unknown): void {
    this.counts.errors += 1;
    this.warnings.warn(`a cache tier failed to ${what}`, { tier: this.name, key, error: String(error) });
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      this.options.ports.timers.after(LOOK_AGAIN_AFTER_MS, resolve);
    });
  }
}
