import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { BookEntity, openBooksDatabase } from '../../../test/support/books-database.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import type { SqlDatabase } from './index.js';

const WRITERS = 200;
const MAX_TITLES = 4;
const SHARE_THAT_FAILS = 0.3;
const REST = { author: 'A', priceCents: 100 };

/** Inserts the titles in one piece of work, which throws before the `failAt`-th (from 0) when that is given. */
type WriteTitles = (titles: readonly string[], failAt: number | undefined) => Promise<unknown>;

class PlannedFailure extends Error {}

interface WriterHistory {
  readonly titles: readonly string[];
  readonly isAcknowledged: boolean;
}

/** `count` writers at once, of which some fail in the middle of their work. Resolves with what each was told. */
function runWriters(count: number, random: SeededRandom, write: WriteTitles): Promise<WriterHistory[]> {
  const writers = Array.from({ length: count }, async (_, writer) => {
    const length = 1 + random.below(MAX_TITLES);
    const titles = Array.from({ length }, (_title, index) => `writer ${String(writer)} title ${String(index)}`);
    const failAt = random.chance(SHARE_THAT_FAILS) ? random.below(length + 1) : undefined;
    try {
      await write(titles, failAt);
      return { titles, isAcknowledged: true };
    } catch {
      return { titles, isAcknowledged: false };
    }
  });
  return Promise.all(writers);
}

/** One sentence for each broken promise: what was acknowledged is there once, what failed is not there at all. */
function auditWriters(history: readonly WriterHistory[], stored: readonly string[]): string[] {
  const copies = new Map<string, number>();
  for (const title of stored) copies.set(title, (copies.get(title) ?? 0) + 1);
  const broken = history.flatMap(({ titles, isAcknowledged }) =>
    titles.flatMap((title) => {
      const found = copies.get(title) ?? 0;
      copies.delete(title);
      if (isAcknowledged && found === 0) return [`${title} was acknowledged and is lost`];
      if (!isAcknowledged && found > 0) return [`${title} failed and is kept`];
      return found > 1 ? [`${title} is there ${String(found)} times`] : [];
    }),
  );
  return [...broken, ...[...copies.keys()].map((title) => `${title} was written by no one`)];
}

describe('200 concurrent writers, some of which fail', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory, 'bookstore.db');
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const storedTitles = (): string[] => {
    const handle = new BetterSqlite3(file, { readonly: true });
    const titles = handle.prepare<[], string>('SELECT title FROM books').pluck().all();
    handle.close();
    return titles;
  };

  const throughTheExecutor = ({ writer, writeHandle }: SqlDatabase): WriteTitles => {
    const insert = writeHandle.prepare("INSERT INTO books (title, author, price_cents) VALUES (?, 'A', 100)");
    return (titles, failAt) =>
      writer.run(() => {
        titles.forEach((title, index) => {
          if (index === failAt) throw new PlannedFailure();
          insert.run(title);
        });
        if (failAt === titles.length) throw new PlannedFailure();
      });
  };

  /** Begins each writer after a number of turns of its own. */
  const spread =
    (random: SeededRandom, write: WriteTitles): WriteTitles =>
    async (titles, failAt) => {
      for (let turns = random.below(20); turns > 0; turns -= 1) await new Promise(setImmediate);
      return write(titles, failAt);
    };

  /** What the documentation of TypeORM suggests, on the one connection that a DataSource of this driver has. */
  const throughOneDataSource = (source: DataSource): WriteTitles => {
    const books = source.getRepository(BookEntity);
    return async (titles, failAt) => {
      if (titles.length === 1 && failAt === undefined) return books.insert({ title: titles[0] ?? '', ...REST });
      return source.transaction(async (manager) => {
        for (const [index, title] of titles.entries()) {
          if (index === failAt) throw new PlannedFailure();
          await manager.getRepository(BookEntity).insert({ title, ...REST });
          await new Promise(setImmediate);
        }
        if (failAt === titles.length) throw new PlannedFailure();
      });
    };
  };

  it.each([1, 2, 3])(
    'given the write executor and seed %i, keep all acknowledged writes and no failed one',
    async (seed) => {
      const database = await openBooksDatabase(file);

      const history = await runWriters(WRITERS, new SeededRandom(seed), throughTheExecutor(database));
      await database.close();

      expect(auditWriters(history, storedTitles())).toEqual([]);
      expect(history.filter(({ isAcknowledged }) => !isAcknowledged).length).toBeGreaterThan(WRITERS / 10);
      expect(history.filter(({ isAcknowledged }) => isAcknowledged).length).toBeGreaterThan(WRITERS / 2);
    },
  );

  it('given writers over many turns of the event loop, keep all acknowledged writes and no failed one', async () => {
    const database = await openBooksDatabase(file);
    const random = new SeededRandom(4);

    const history = await runWriters(WRITERS, random, spread(random, throughTheExecutor(database)));
    await database.close();

    expect(auditWriters(history, storedTitles())).toEqual([]);
  });

  it('given transactions on one TypeORM DataSource instead, the audit finds lost acknowledged writes and kept failed ones', async () => {
    const database = await openBooksDatabase(file);
    await database.close();
    const source = new DataSource({
      type: 'better-sqlite3',
      database: file,
      driver: BetterSqlite3,
      entities: [BookEntity],
    });
    await source.initialize();

    const random = new SeededRandom(1);
    const history = await runWriters(WRITERS, random, spread(random, throughOneDataSource(source)));
    await source.destroy();

    const broken = auditWriters(history, storedTitles());
    expect(broken).toContainEqual(expect.stringContaining('was acknowledged and is lost'));
    expect(broken).toContainEqual(expect.stringContaining('failed and is kept'));
  });
});
