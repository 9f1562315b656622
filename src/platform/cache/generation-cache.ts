import { LRUCache } from 'lru-cache';

/** Where versioned reads come from; `SqlReader` is one. */
export interface VersionedSource {
  currentGeneration(table: string): number;
  loadVersioned<T>(table: string, load: () => T): { readonly generation: number; readonly value: T };
}

export interface CacheOptions {
  /** Undefined or 0: nothing is kept. */
  readonly maxBytes: number | undefined;
  /** Begins every key: database id and epoch, so that nothing of another database or a former life is ever hit. */
  readonly namespace: string;
}

export interface CachedRead<V> {
  readonly value: V;
  readonly source: 'memory' | 'miss';
}

/**
 * Prepared answers in this process, keyed by the generation of the table they were read from. A write moves the
 * generation in its own commit, so what it made stale is never looked up again: nothing is invalidated, entries only
 * age out. Keys are never overwritten, so a slow load fills a generation that nobody reads any more.
 */
export class GenerationCache<V extends { readonly bytes: Buffer }> {
  private readonly entries: LRUCache<string, V> | undefined;

  private readonly prefixes = new Map<string, { readonly generation: number; readonly text: string }>();

  constructor(
    private readonly source: VersionedSource,
    private readonly options: CacheOptions,
  ) {
    this.entries =
      options.maxBytes === undefined || options.maxBytes === 0
        ? undefined
        : new LRUCache<string, V>({ maxSize: options.maxBytes, sizeCalculation: ({ bytes }) => bytes.length + 256 });
  }

  /** What `load` (synchronous) gives for the table's current generation. Undefined results are not kept. */
  read(table: string, name: string, load: () => V | undefined): CachedRead<V> | undefined {
    const hit = this.entries?.get(this.key(table, this.source.currentGeneration(table), name));
    if (hit) return { value: hit, source: 'memory' };
    const { generation, value } = this.source.loadVersioned(table, load);
    if (value === undefined) return undefined;
    const key = this.key(table, generation, name);
    if (this.entries?.has(key) === false) this.entries.set(key, value);
    return { value, source: 'miss' };
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
