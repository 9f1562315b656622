import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { BookEntity, openBooksDatabase } from '../../../test/support/books-database.js';
import {
  auditWriters,
  PlannedFailure,
  runWriters,
  type WriteTitles,
} from '../../../test/support/concurrent-writers.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import type { SqlDatabase } from './index.js';

const WRITERS = 200;
const REST = { author: 'A', priceCents: 100, quantity: 1 };

describe('200 concurrent writers of which some fail', () => {
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
    const insert = writeHandle.prepare(
      "INSERT INTO books (title, author, price_cents, quantity) VALUES (?, 'A', 100, 1)",
    );
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
    'given the write executor and seed %i, keeps everything that was acknowledged and nothing that failed',
    async (seed) => {
      const database = await openBooksDatabase(file);

      const history = await runWriters(WRITERS, new SeededRandom(seed), throughTheExecutor(database));
      await database.close();

      expect(auditWriters(history, storedTitles())).toEqual([]);
      expect(history.filter(({ isAcknowledged }) => !isAcknowledged).length).toBeGreaterThan(WRITERS / 10);
      expect(history.filter(({ isAcknowledged }) => isAcknowledged).length).toBeGreaterThan(WRITERS / 2);
    },
  );

  it('given writers that arrive over many turns of the event loop, keeps everything that was acknowledged and nothing that failed', async () => {
    const database = await openBooksDatabase(file);
    const random = new SeededRandom(4);

    const history = await runWriters(WRITERS, random, spread(random, throughTheExecutor(database)));
    await database.close();

    expect(auditWriters(history, storedTitles())).toEqual([]);
  });

  it('given transactions on one TypeORM DataSource instead, the audit finds acknowledged writes lost and failed ones kept', async () => {
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
