import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GenerationCache, type VersionedSource } from './generation-cache.js';

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

function read(cache: GenerationCache<{ bytes: Buffer }>, table: Table, name: string): string | undefined {
  const found = cache.read(TABLE, name, () => {
    const row = table.rows.get(name);
    return row === undefined ? undefined : { bytes: Buffer.from(row) };
  });
  return found && `${found.source} ${found.value.bytes.toString()}`;
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
