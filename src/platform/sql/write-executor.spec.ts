import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import type { SqlDatabase } from './index.js';

describe('SqlWriteExecutor', () => {
  let directory: string;
  let database: SqlDatabase;
  let sites: string[];
  let atSite: (site: string) => unknown;

  const insertBook = (title: string): void => {
    const sql = "INSERT INTO books (title, author, price_cents) VALUES (?, 'A', 100)";
    database.writeHandle.prepare(sql).run(title);
  };
  const write = (title: string): Promise<void> =>
    database.writer.run((scope) => {
      insertBook(title);
      scope.touch('books');
    });
  const committedTitles = (): string[] =>
    database.reader.handle.prepare<[], string>('SELECT title FROM books ORDER BY id').pluck().all();
  const generation = (): number => database.reader.currentVersion('books').generation;

  beforeEach(async () => {
    directory = temporaryDirectory();
    sites = [];
    atSite = () => undefined;
    const crashSites = {
      reach: (site: string): void => {
        sites.push(site);
        atSite(site);
      },
    };
    database = await openBooksDatabase(join(directory, 'bookstore.db'), { crashSites });
    sites = [];
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('given work of one turn, commits it together, in order, once', async () => {
    await Promise.all(['a', 'b', 'c'].map(write));

    expect(committedTitles()).toEqual(['a', 'b', 'c']);
    expect(sites).toEqual(['sql.commit.before', 'sql.commit.after']);
  });

  it('given work alone in its turn that fails, keeps nothing of it, and the next commit continues the count', async () => {
    const failing = database.writer.run((scope) => {
      insertBook('half');
      scope.touch('books');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await write('after');

    expect([committedTitles(), generation()]).toEqual([['after'], 1]);
    expect(sites).toEqual(['sql.commit.before', 'sql.commit.after']);
  });

  it('given work, resolves with its result, and only after its commit', async () => {
    const order: string[] = [];
    atSite = (site) => order.push(site);

    await database.writer.run(() => 'done').then((answer) => order.push(answer));

    expect(order).toEqual(['sql.commit.before', 'sql.commit.after', 'done']);
  });

  it('given work that throws between other work of its turn, rejects it with its error and keeps nothing of it', async () => {
    const error = new Error('no');
    const failing = database.writer.run((scope) => {
      insertBook('bad');
      scope.touch('elsewhere');
      throw error;
    });

    const outcomes = await Promise.allSettled([write('a'), failing, write('b')]);

    expect(outcomes[1]).toEqual({ status: 'rejected', reason: error });
    expect(committedTitles()).toEqual(['a', 'b']);
    expect(database.reader.currentVersion('elsewhere').generation).toBe(0);
  });

  it('given work that breaks a constraint, keeps the other work of its turn', async () => {
    const sql = "INSERT INTO books (title, author, price_cents) VALUES ('bad', 'A', -1)";
    const breaking = database.writer.run(() => database.writeHandle.prepare(sql).run());

    const outcomes = await Promise.allSettled([write('a'), breaking, write('b')]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(committedTitles()).toEqual(['a', 'b']);
  });

  it('given asynchronous work, refuses it and keeps nothing of it, because its later part would be in no commit', async () => {
    const asynchronous = database.writer.run(async () => {
      insertBook('half');
      return Promise.resolve();
    });

    await expect(asynchronous).rejects.toThrow('must be synchronous');
    expect(committedTitles()).toEqual([]);
  });

  it('given work that touches a table, moves its generation in the same commit', async () => {
    const seen: unknown[] = [];
    atSite = (site) => seen.push([site, generation(), committedTitles().length]);

    await Promise.all([write('a'), write('b')]);

    expect(seen).toEqual([
      ['sql.commit.before', 0, 0],
      ['sql.commit.after', 1, 2],
    ]);
  });

  it('given a later commit, moves the generation again', async () => {
    await write('a');
    const first = generation();
    await write('b');

    expect(generation()).toBeGreaterThan(first);
  });

  it('given queued work, drains when it has been answered', async () => {
    const answered: string[] = [];
    const writes = ['a', 'b'].map((title) => write(title).then(() => answered.push(title)));

    await database.writer.drained();

    expect(answered).toEqual(['a', 'b']);
    await Promise.all(writes);
  });
});
