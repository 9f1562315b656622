import { type CacheTier, type MaybePromise, memoryTier, readTier, type SecondTier, writeTier } from './cache-tier.js';

/** A source of versioned reads, such as `SqlReader`. */
export interface VersionedSource {
  currentGeneration(table: string): number;
  loadVersioned<T>(table: string, load: () => T): { readonly generation: number; readonly value: T };
}

export interface CacheOptions<V> {
  /** The size of the tier in this process. With undefined or 0 it keeps nothing. */
  readonly maxBytes: number | undefined;
  /** The prefix of every key: database id and epoch, so that values of another database or incarnation never hit. */
  readonly namespace: string;
  readonly second?: SecondTier<V>;
}

export interface CachedRead<V> {
  readonly value: V;
  /** `memory`, `miss` or the name of the second tier. */
  readonly source: string;
}

/**
 * Prepared answers, keyed by the generation of the table that they were read from. A write moves the generation in its own
 * commit, so later reads never look up stale entries: nothing is invalidated, entries only age out. Keys are never overwritten,
 * so a slow load fills a generation that no later read looks up.
 */
export class GenerationCache<V extends { readonly bytes: Buffer }> {
  private readonly memory: { get(key: string): V | undefined } & CacheTier<V>;
  /** Reads of the second tier and the source, by key; concurrent reads share one. */
  private readonly underWay = new Map<string, Promise<CachedRead<V>>>();
  private readonly prefixes = new Map<string, { readonly generation: number; readonly text: string }>();

  constructor(
    private readonly source: VersionedSource,
    private readonly options: CacheOptions<V>,
  ) {
    this.memory = memoryTier<V>(options.maxBytes ?? 0, ({ bytes }) => bytes);
  }

  /** Returns what `load` (synchronous) gives for the table's current generation. Throws or rejects with what `load` throws. */
  read(table: string, name: string, load: () => V): MaybePromise<CachedRead<V>> {
    const key = this.key(table, this.source.currentGeneration(table), name);
    const hit = this.memory.get(key);
    if (hit) return { value: hit, source: 'memory' };
    const { second } = this.options;
    if (second === undefined) return this.load(table, name, load);
    return this.underWay.get(key) ?? this.readThrough(second, key, () => this.load(table, name, load, second));
  }

  private load(table: string, name: string, load: () => V, second?: SecondTier<V>): CachedRead<V> {
    const { generation, value } = this.source.loadVersioned(table, load);
    const key = this.key(table, generation, name);
    if (this.memory.get(key) === undefined) this.memory.set(key, value);
    if (second) void writeTier(second, key, value);
    return { value, source: 'miss' };
  }

  private readThrough(second: SecondTier<V>, key: string, load: () => CachedRead<V>): Promise<CachedRead<V>> {
    const reading = readTier(second, key)
      .then((value) => {
        if (value === undefined) return load();
        this.memory.set(key, value);
        return { value, source: second.name };
      })
      .finally(() => this.underWay.delete(key));
    this.underWay.set(key, reading);
    return reading;
  }

  private key(table: string, generation: number, name: string): string {
    let prefix = this.prefixes.get(table);
    if (prefix?.generation !== generation) {
      prefix = { generation, text: `${this.options.namespace}:${table}:${String(generation)}:` };
      this.prefixes.set(table, prefix);
    }
    return prefix.text + name;
  }
}
