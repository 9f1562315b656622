import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedCacheTier } from '../../../test/support/simulated-cache-tier.js';
import type { MaybePromise } from './cache-tier.js';
import { type CachedRead, GenerationCache, type VersionedSource } from './generation-cache.js';

const TABLE = 'books';

/** A table of texts whose generation moves with every change. */
class Table implements VersionedSource {
  readonly rows = new Map<string, string>();
  loads = 0;
  private generation = 0;
  /** Runs in the middle of the next load: another process that writes meanwhile. */
  onLoad: (() => void) | undefined;

  write(name: string, text: string): void {
    this.rows.set(name, text);
    this.generation += 1;
  }

  currentGeneration(): number {
    return this.generation;
  }

  loadVersioned<T>(_table: string, load: () => T): { generation: number; value: T } {
    this.loads += 1;
    const loaded = { generation: this.generation, value: load() };
    this.onLoad?.();
    return loaded;
  }
}

function cacheOn(table: Table, maxBytes: number | undefined, namespace = 'db:1'): GenerationCache<{ bytes: Buffer }> {
  return new GenerationCache(table, { maxBytes, namespace });
}

type Cache = GenerationCache<{ bytes: Buffer }>;
type Read = CachedRead<{ bytes: Buffer }>;

const ABSENT = new Error('absent');

function begin(cache: Cache, table: Table, name: string): MaybePromise<Read> {
  return cache.read(TABLE, name, () => {
    const row = table.rows.get(name);
    if (row === undefined) throw ABSENT;
    return { bytes: Buffer.from(row) };
  });
}

const shown = ({ source, value }: Read): string => `${source} ${value.bytes.toString()}`;

/** Undefined: there is no such row. */
function read(cache: Cache, table: Table, name: string): string | undefined {
  try {
    return shown(begin(cache, table, name) as Read);
  } catch (error) {
    expect(error).toBe(ABSENT);
    return undefined;
  }
}

describe('a cache by generation', () => {
  it('read twice, loads once; after a write it loads again', () => {
    const table = new Table();
    const cache = cacheOn(table, 10_000);
    table.write('a', 'one');
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss one', 'memory one']);
    table.write('b', 'other');
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss one', 'memory one']);
    expect(table.loads).toBe(2);
  });

  it('asked for what there is not, keeps nothing', () => {
    const table = new Table();
    const cache = cacheOn(table, 10_000);
    expect([read(cache, table, 'a'), read(cache, table, 'a'), table.loads]).toEqual([undefined, undefined, 2]);
  });

  it('whose slow load was overtaken by a write, does not show it for the new generation', () => {
    const table = new Table();
    const cache = cacheOn(table, 10_000);
    table.write('a', 'old');
    table.onLoad = () => {
      table.onLoad = undefined;
      table.write('a', 'new');
    };
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss old', 'miss new']);
  });

  it.each([undefined, 0])('of %j bytes, always loads', (maxBytes) => {
    const table = new Table();
    const cache = cacheOn(table, maxBytes);
    table.write('a', 'one');
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss one', 'miss one']);
  });

  it('given what is larger than all of it, shows it and keeps nothing', () => {
    const table = new Table();
    const cache = cacheOn(table, 1_000);
    table.write('a', 'x'.repeat(2_000));
    expect([read(cache, table, 'a'), read(cache, table, 'a')].map((text) => text?.slice(0, 6))).toEqual([
      'miss x',
      'miss x',
    ]);
  });

  it('under any order of reads and writes and any size, never shows what is not current', () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), text: fc.option(fc.string(), { nil: undefined }) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(undefined, 0, 300, 600, 10_000),
        (steps, maxBytes) => {
          const table = new Table();
          const cache = cacheOn(table, maxBytes);
          for (const { name, text } of steps) {
            if (text !== undefined) table.write(name, text);
            else expect(read(cache, table, name)?.replace(/^(?:miss|memory) /, '')).toBe(table.rows.get(name));
          }
        },
      ),
    );
  });
});

describe('a cache with a second tier', () => {
  const world = (): { table: Table; tier: SimulatedCacheTier; log: RecordingLog; cache: () => Cache } => {
    const [table, tier, log] = [new Table(), new SimulatedCacheTier(), new RecordingLog()];
    table.write('a', 'one');
    const second = {
      ...{ name: 'shared', tier, log, encode: ({ bytes }: { bytes: Buffer }) => bytes },
      decode: (bytes: Buffer) => ({ bytes }),
    };
    return {
      table,
      tier,
      log,
      cache: () => new GenerationCache(table, { maxBytes: 10_000, namespace: 'db:1', second }),
    };
  };
  const readOf = async (cache: Cache, table: Table): Promise<string> => shown(await begin(cache, table, 'a'));

  it('loads once for all processes, and then answers from memory without a promise', async () => {
    const { table, cache } = world();
    const [first, other] = [cache(), cache()];

    expect([await readOf(first, table), await readOf(other, table)]).toEqual(['miss one', 'shared one']);
    expect([read(first, table, 'a'), read(other, table, 'a')]).toEqual(['memory one', 'memory one']);
    expect(table.loads).toBe(1);
  });

  it('read by many at once, asks the second tier and the source once for all of them', async () => {
    const { table, tier, cache } = world();
    const one = cache();

    const reads = await Promise.all(Array.from({ length: 20 }, () => readOf(one, table)));

    expect(new Set(reads)).toEqual(new Set(['miss one']));
    expect([tier.reads, table.loads]).toEqual([1, 1]);
  });

  it('after a write, gives the new version, whatever the second tier holds', async () => {
    const { table, cache } = world();
    const one = cache();
    await readOf(one, table);
    table.write('a', 'two');

    expect(await readOf(one, table)).toBe('miss two');
  });

  it('written while the second tier is slow, keeps no old version for the new generation', async () => {
    const { table, cache } = world();
    const one = cache();
    const slow = readOf(one, table);
    table.write('a', 'two');

    expect(await readOf(one, table)).toBe('miss two');
    await slow;
    expect(read(one, table, 'a')).toBe('memory two');
  });

  it('that fails, misses and logs it, and the read succeeds', async () => {
    const { table, tier, log, cache } = world();
    tier.isFailing = true;

    expect(await readOf(cache(), table)).toBe('miss one');
    await tier.idle();
    expect(log.warnings).toEqual(['a cache tier failed to read', 'a cache tier failed to write']);
  });

  it('asked for what there is not, rejects with what the load threw, and asks again the next time', async () => {
    const { table, cache } = world();
    const one = cache();

    await expect(begin(one, table, 'b')).rejects.toBe(ABSENT);
    table.write('b', 'new');
    expect(shown(await begin(one, table, 'b'))).toBe('miss new');
  });
});
