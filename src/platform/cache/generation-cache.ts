import type { MaybePromise } from '../../kernel/index.js';
import { type CacheGeneration, type CacheTier, memoryTier } from './cache-tier.js';
import { type SharedCounts, SharedReads, type SharedTierOptions } from './shared-reads.js';

/**
 * One state of a table. `incarnation` names the database and the start of its active process; a generation may repeat in another
 * incarnation, after a restore.
 */
export interface TableVersion {
  readonly incarnation: string;
  readonly generation: number;
}

/** A source of versioned reads, such as `SqlReader`. While nothing was written, it returns the same object. */
export interface VersionedSource {
  currentVersion(table: string): TableVersion;
  loadVersioned<T>(table: string, load: () => T): { readonly version: TableVersion; readonly value: T };
}

export interface CachedRead<V> {
  readonly value: V;
  /** `memory`, `miss` or the name of the shared tier. */
  readonly source: string;
}

/** What the keys of one version of a table have in common. */
interface Prefix extends CacheGeneration {
  readonly version: TableVersion;
  readonly text: string;
}

/**
 * Prepared answers, keyed by the version of the table that they were read from: `incarnation:table:generation:name`. A write moves
 * the generation in its own commit, so later reads never look up stale entries: no read depends on their removal. Keys are never
 * overwritten, so a slow load fills a generation that no later read looks up.
 */
export class GenerationCache<V extends { readonly bytes: Buffer }> {
  readonly memoryCounts = { hits: 0, misses: 0 };
  /** Reads of the source. */
  loads = 0;
  private shared: SharedReads<V> | undefined;
  private readonly memory: { get(key: string): V | undefined } & CacheTier<V>;
  /** Reads of the shared tier and the source, by key; concurrent reads share one. */
  private readonly underWay = new Map<string, Promise<CachedRead<V>>>();
  private readonly prefixes = new Map<string, Prefix>();

  /** With 0 bytes, the tier in this process keeps nothing. */
  constructor(
    private readonly source: VersionedSource,
    maxBytes: number,
  ) {
    this.memory = memoryTier<V>(maxBytes, ({ bytes }) => bytes);
  }

  get sharedCounts(): Readonly<SharedCounts> | undefined {
    return this.shared?.counts;
  }

  /** From now on, `readShared` looks in this tier as well. */
  share(options: SharedTierOptions<V>): void {
    this.shared = new SharedReads(options);
  }

  /**
   * Returns what `load` (synchronous) gives for the table's current version, or what memory holds of it. Throws what `load` throws.
   */
  read(table: string, name: string, load: () => V): CachedRead<V> {
    return this.hit(this.currentPrefix(table).text + name) ?? this.load(table, name, load);
  }

  /** Like `read`, but looks in the shared tier as well, where there is one. May reject with what `load` throws. */
  readShared(table: string, name: string, load: () => V): MaybePromise<CachedRead<V>> {
    const key = this.currentPrefix(table).text + name;
    const hit = this.hit(key);
    if (hit) return hit;
    if (!this.shared?.isAvailable) return this.load(table, name, load);
    return this.underWay.get(key) ?? this.readThrough(this.shared, key, { table, name, load });
  }

  /**
   * What memory holds of the table's current version; undefined when it holds nothing. Only a hit counts as a read, because the caller
   * of a miss reads again. Throws when the version cannot be read.
   */
  remembered(table: string, name: string): V | undefined {
    return this.inMemory(this.currentPrefix(table).text + name);
  }

  private hit(key: string): CachedRead<V> | undefined {
    const value = this.inMemory(key);
    if (value !== undefined) return { value, source: 'memory' };
    this.memoryCounts.misses += 1;
    return undefined;
  }

  private inMemory(key: string): V | undefined {
    const value = this.memory.get(key);
    if (value !== undefined) this.memoryCounts.hits += 1;
    return value;
  }

  private load(table: string, name: string, load: () => V): CachedRead<V> {
    this.loads += 1;
    const { version, value } = this.source.loadVersioned(table, load);
    this.remember(prefixOf(table, version).text + name, value);
    return { value, source: 'miss' };
  }

  private remember(key: string, value: V): void {
    if (this.memory.get(key) === undefined) this.memory.set(key, value);
  }

  private readThrough(shared: SharedReads<V>, key: string, wanted: Wanted<V>): Promise<CachedRead<V>> {
    const reading = shared
      .find(key)
      .then((found) => {
        if ('owner' in found) return this.loadOwned(shared, key, wanted, found.owner);
        this.remember(key, found.value);
        return { value: found.value, source: shared.name };
      })
      .finally(() => this.underWay.delete(key));
    this.underWay.set(key, reading);
    return reading;
  }

  private loadOwned(
    shared: SharedReads<V>,
    asked: string,
    { table, name, load }: Wanted<V>,
    owner: string,
  ): CachedRead<V> {
    let loaded: { readonly version: TableVersion; readonly value: V };
    this.loads += 1;
    try {
      loaded = this.source.loadVersioned(table, load);
    } catch (error) {
      void shared.release(asked, owner);
      throw error;
    }
    const { version, value } = loaded;
    const { text, group, generation } = prefixOf(table, version);
    const key = text + name;
    this.remember(key, value);
    const isCurrent = (): boolean => this.currentPrefix(table).text === text;
    void shared.keep(asked, { key, group, generation, value, isCurrent }, owner);
    return { value, source: 'miss' };
  }

  private currentPrefix(table: string): Prefix {
    const version = this.source.currentVersion(table);
    let prefix = this.prefixes.get(table);
    if (prefix?.version !== version) {
      prefix = prefixOf(table, version);
      this.prefixes.set(table, prefix);
    }
    return prefix;
  }
}

interface Wanted<V> {
  readonly table: string;
  readonly name: string;
  readonly load: () => V;
}

function prefixOf(table: string, version: TableVersion): Prefix {
  const group = groupOf(table, version);
  return { version, group, generation: version.generation, text: `${group}:${String(version.generation)}:` };
}

export function groupOf(table: string, { incarnation }: Pick<TableVersion, 'incarnation'>): string {
  return `${incarnation}:${table}`;
}
