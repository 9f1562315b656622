import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { eventually } from '../../../test/support/eventually.js';
import { FailingCacheTier } from '../../../test/support/failing-cache-tier.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedCacheTier } from '../../../test/support/simulated-cache-tier.js';
import { VersionedTable } from '../../../test/support/versioned-table.js';
import { monotonicMs, systemRandom, systemTimers } from '../process/index.js';
import type { MaybePromise } from '../../kernel/index.js';
import { type CachedRead, GenerationCache } from './generation-cache.js';
import type { SharedTierOptions } from './shared-reads.js';

const TABLE = 'books';

function cacheOn(table: VersionedTable, maxBytes: number): GenerationCache<{ bytes: Buffer }> {
  return new GenerationCache(table, maxBytes);
}

function shareOver(
  table: VersionedTable,
  maxBytes: number,
  shared: SharedTierOptions<{ bytes: Buffer }>,
): GenerationCache<{ bytes: Buffer }> {
  const cache = cacheOn(table, maxBytes);
  cache.share(shared);
  return cache;
}

type Cache = GenerationCache<{ bytes: Buffer }>;
type Read = CachedRead<{ bytes: Buffer }>;

const ABSENT = new Error('absent');

function begin(cache: Cache, table: VersionedTable, name: string): MaybePromise<Read> {
  return cache.readShared(TABLE, name, () => {
    const row = table.rows.get(name);
    if (row === undefined) throw ABSENT;
    return { bytes: Buffer.from(row) };
  });
}

const shown = ({ source, value }: Read): string => `${source} ${value.bytes.toString()}`;

/** Undefined: there is no such row. */
function read(cache: Cache, table: VersionedTable, name: string): string | undefined {
  try {
    return shown(begin(cache, table, name) as Read);
  } catch (error) {
    expect(error).toBe(ABSENT);
    return undefined;
  }
}

describe('a cache by generation', () => {
  it('given two reads, loads once; after a write it loads again', () => {
    const table = new VersionedTable();
    const cache = cacheOn(table, 10_000);
    table.write('a', 'one');
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss one', 'memory one']);
    table.write('b', 'other');
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss one', 'memory one']);
    expect(table.loads).toBe(2);
  });

  it('given a missing row, keeps nothing', () => {
    const table = new VersionedTable();
    const cache = cacheOn(table, 10_000);
    expect([read(cache, table, 'a'), read(cache, table, 'a'), table.loads]).toEqual([undefined, undefined, 2]);
  });

  it('given a slow load that a write overtook, does not serve it for the new generation', () => {
    const table = new VersionedTable();
    const cache = cacheOn(table, 10_000);
    table.write('a', 'old');
    table.onLoad = () => {
      table.write('a', 'new');
    };
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss old', 'miss new']);
  });

  it('given 0 bytes, always loads', () => {
    const table = new VersionedTable();
    const cache = cacheOn(table, 0);
    table.write('a', 'one');
    expect([read(cache, table, 'a'), read(cache, table, 'a')]).toEqual(['miss one', 'miss one']);
  });

  it('given a value larger than the cache, returns it and keeps nothing', () => {
    const table = new VersionedTable();
    const cache = cacheOn(table, 1_000);
    table.write('a', 'x'.repeat(2_000));
    expect([read(cache, table, 'a'), read(cache, table, 'a')].map((text) => text?.slice(0, 6))).toEqual([
      'miss x',
      'miss x',
    ]);
  });

  it('given any order of reads and writes and any size, never returns outdated values', () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), text: fc.option(fc.string(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 300, 600, 10_000), (steps, maxBytes) => {
        const table = new VersionedTable();
        const cache = cacheOn(table, maxBytes);
        for (const { name, text } of steps) {
          if (text !== undefined) table.write(name, text);
          else expect(read(cache, table, name)?.replace(/^(?:miss|memory) /, '')).toBe(table.rows.get(name));
        }
      }),
    );
  });
});

describe('a cache over a tier that processes share', () => {
  interface World {
    readonly table: VersionedTable;
    readonly simulated: SimulatedCacheTier;
    readonly tier: FailingCacheTier;
    readonly log: RecordingLog;
    /** The cache of one process. */
    readonly cache: () => Cache;
  }
  const world = (maxBytes = 10_000): World => {
    const [table, simulated, log] = [new VersionedTable(), new SimulatedCacheTier(), new RecordingLog()];
    const tier = new FailingCacheTier(simulated);
    table.write('a', 'one');
    const shared = {
      ...{ tier, encode: ({ bytes }: { bytes: Buffer }) => bytes, decode: (bytes: Buffer) => ({ bytes }) },
      ports: { log, random: systemRandom, timers: systemTimers, nowMs: monotonicMs },
    };
    return { table, simulated, tier, log, cache: () => shareOver(table, maxBytes, shared) };
  };
  const readOf = async (cache: Cache, table: VersionedTable, name = 'a'): Promise<string> =>
    shown(await begin(cache, table, name));

  it('loads once for all processes, and then answers from memory without a promise', async () => {
    const { table, simulated, cache } = world();
    const [first, other] = [cache(), cache()];

    expect([await readOf(first, table), await simulated.idle(), await readOf(other, table)]).toEqual([
      'miss one',
      undefined,
      'shared one',
    ]);
    expect([read(first, table, 'a'), read(other, table, 'a')]).toEqual(['memory one', 'memory one']);
    expect(table.loads).toBe(1);
  });

  it('read by many at once in two processes, loads once, and each process asks the tier once', async () => {
    const { table, simulated, cache } = world();
    const processes = [cache(), cache()];

    const reads = await Promise.all(
      processes.flatMap((each) => Array.from({ length: 500 }, () => readOf(each, table))),
    );

    expect(new Set(reads)).toEqual(new Set(['miss one', 'shared one']));
    expect([simulated.reads, table.loads]).toEqual([2, 1]);
  });

  it('whose load fails, lets another process load', async () => {
    const { table, simulated, cache } = world();

    await expect(begin(cache(), table, 'b')).rejects.toBe(ABSENT);
    await simulated.idle();

    expect(await simulated.claim('db:1:books:1:b', 'another process')).toBe('load');
  });

  it('whose set fails, lets another process load', async () => {
    const { table, simulated, tier, cache } = world();
    const release = jest.spyOn(simulated, 'release');
    tier.on('set');

    expect(await readOf(cache(), table)).toBe('miss one');
    await eventually(() => {
      expect(release).toHaveBeenCalledTimes(1);
    });
    await simulated.idle();

    expect(await simulated.claim('db:1:books:1:a', 'another process')).toBe('load');
  });

  it.each([
    ['memory keeps the value', 10_000, 1],
    ['memory keeps nothing', 0, 200],
  ])('that is away while %s (%i bytes), loads %i times for 200 readers', async (_, maxBytes, loads) => {
    const { table, simulated, cache } = world(maxBytes);
    simulated.isAvailable = false;
    const one = cache();

    await Promise.all(Array.from({ length: 200 }, () => readOf(one, table)));

    expect([simulated.reads, table.loads]).toEqual([0, loads]);
  });

  it('loads when the process that it waits for gives up', async () => {
    const { table, simulated, cache } = world();
    await simulated.claim('db:1:books:1:a', 'another process');
    const reading = readOf(cache(), table);
    await simulated.release('db:1:books:1:a', 'another process');

    expect(await reading).toBe('miss one');
  });

  it('waits no longer than a bound for a process that never finishes its load', async () => {
    const { table, simulated, cache } = world();
    await simulated.claim('db:1:books:1:a', 'a process that is stopped');

    expect(await readOf(cache(), table)).toBe('miss one');
  });

  it('after a write, gives the new version, whatever the tier holds', async () => {
    const { table, cache } = world();
    const one = cache();
    await readOf(one, table);
    table.write('a', 'two');

    expect(await readOf(one, table)).toBe('miss two');
  });

  it('written while the tier is slow, keeps no old version for the new generation', async () => {
    const { table, cache } = world();
    const one = cache();
    const slow = readOf(one, table);
    table.write('a', 'two');

    expect(await readOf(one, table)).toBe('miss two');
    await slow;
    expect(read(one, table, 'a')).toBe('memory two');
  });

  it('written while a value is being set, removes that value again', async () => {
    const { table, simulated, cache } = world();
    await readOf(cache(), table);
    table.write('a', 'two');

    await eventually(() => {
      expect([simulated.reads, simulated.keys]).toEqual([1, []]);
    });
  });

  it('does not hit entries of another incarnation, although the generation repeats', async () => {
    const { table, simulated, cache } = world();
    const copy = new Map(table.rows);
    table.write('a', 'of a former life');
    await readOf(cache(), table);
    await simulated.idle();
    table.restore(copy, 1, 'db:2');
    table.write('b', 'other');

    expect(await readOf(cache(), table)).toBe('miss one');
  });

  it.each(['get', 'claim', 'set', 'release', 'remove'] as const)(
    'whose %s fails, also after it took effect, reads rightly',
    async (call) => {
      for (const takesEffect of [false, true]) {
        const { table, tier, cache } = world();
        tier.on(call, { takesEffect, times: 3 });
        const [first, other] = [cache(), cache()];
        for (const text of ['two', 'three']) {
          table.write('a', text);
          const texts = (await Promise.all([readOf(first, table), readOf(other, table)])).map((each) => each.slice(-3));
          expect(new Set(texts)).toEqual(new Set([text.slice(-3)]));
        }
      }
    },
  );

  it('that fails, misses, and logs each kind of failure once', async () => {
    const { table, simulated, log, cache } = world();
    simulated.isFailing = true;
    const one = cache();

    for (let n = 0; n < 5; n += 1) {
      table.write('a', 'one');
      expect(await readOf(one, table)).toBe('miss one');
    }
    await eventually(() => {
      expect(log.warnings).toEqual(['a cache tier failed to read', 'a cache tier failed to write']);
    });
    expect(one.sharedCounts).toMatchObject({ hits: 0, misses: 5 });
  });

  it('that gives damaged bytes, misses and logs it', async () => {
    const { table, log, simulated } = world();
    const decode = (): never => {
      throw new Error('damaged');
    };
    const shared = { tier: simulated, encode: ({ bytes }: { bytes: Buffer }) => bytes, decode };
    const ports = { log, random: systemRandom, timers: systemTimers, nowMs: monotonicMs };
    await simulated.set('db:1:books:1:a', Buffer.from('x'), { group: 'db:1:books', generation: 1 });

    expect(await readOf(shareOver(table, 0, { ...shared, ports }), table)).toBe('miss one');
    expect(log.warnings).toEqual(['a cache tier failed to read']);
  });

  it('given a missing row, rejects with the error of the load, and asks again the next time', async () => {
    const { table, cache } = world();
    const one = cache();

    await expect(begin(one, table, 'b')).rejects.toBe(ABSENT);
    table.write('b', 'new');
    expect(shown(await begin(one, table, 'b'))).toBe('miss new');
  });

  it('by `read`, does not ask the tier', () => {
    const { table, simulated, cache } = world();

    expect(cache().read(TABLE, 'a', () => ({ bytes: Buffer.from(table.rows.get('a') ?? '') })).source).toBe('miss');
    expect(simulated.reads).toBe(0);
  });
});
