import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import fc from 'fast-check';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyCharacter } from '../../../test/support/any-character.js';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { AppError } from '../../kernel/index.js';
import { findDamage, registerSeal, resealRows, RowSeal, sealOf, sealRows, unsealRows } from './index.js';

const NOTES = { table: 'notes', columns: ['text', 'number', 'more'] };
const ROWS = 3_000;
const PAGE_BYTES = 4_096;

describe('a table with seals', () => {
  let directory: string;
  let file: string;
  let handle: Database;

  const runner = { query: (sql: string): Promise<unknown> => Promise.resolve(handle.exec(sql)) };
  const insertSealed = (text: string | null, number: number | null, more: string | null): number => {
    const seal = sealOf([text, number, more]);
    const insert = handle.prepare('INSERT INTO notes (text, number, more, seal) VALUES (?, ?, ?, ?)');
    return Number(insert.run(text, number, more, seal).lastInsertRowid);
  };
  const sealStored = (id: number): unknown => handle.prepare('SELECT seal FROM notes WHERE id = ?').pluck().get(id);
  const damage = (): Promise<string | undefined> => findDamage(file, [NOTES], () => Promise.resolve());

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'notes.db');
    handle = new BetterSqlite3(file);
    registerSeal(handle);
    handle.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, number INTEGER, more TEXT)');
    handle.exec("INSERT INTO notes (text, number) VALUES ('before', 1)");
    await sealRows(runner, NOTES);
  });

  afterEach(() => {
    handle.close();
    rmSync(directory, { recursive: true });
  });

  it('given any text and number, reads the seal that was written', () => {
    const texts = [
      fc.string({ unit: anyCharacter }),
      fc.constantFrom('\ud800', 'a\udc00b', '\ufeffx', 'a\0b', ''),
      fc.constant(null),
    ];
    const row = fc.tuple(fc.oneof(...texts), fc.option(fc.maxSafeInteger()), fc.oneof(...texts));
    const read = handle
      .prepare<[number], [string | null, number | null, string | null]>(
        'SELECT text, number, more FROM notes WHERE id = ?',
      )
      .raw();
    fc.assert(
      fc.property(row, (values) => {
        const id = insertSealed(...values);
        expect(sealOf(read.get(id) ?? [])).toBe(sealStored(id));
      }),
    );
  });

  it('given rows from before the seals, seals them too, and can drop all seals again', async () => {
    expect(sealStored(1)).toBe(sealOf(['before', 1, null]));

    await unsealRows(runner, NOTES);
    expect(handle.prepare('SELECT * FROM notes').all()).toEqual([{ id: 1, text: 'before', number: 1, more: null }]);
  });

  it('given another column, seals each row over it too, except one that was damaged or changed by hand', async () => {
    const [damaged, byHand] = [insertSealed('b', 2, null), insertSealed('c', 3, null)];
    handle.exec(`UPDATE notes SET seal = seal + 1 WHERE id = ${String(damaged)}`);
    handle.exec(`UPDATE notes SET text = 'by hand' WHERE id = ${String(byHand)}`);
    const columns = [...NOTES.columns, 'added'];
    handle.exec('ALTER TABLE notes ADD COLUMN added TEXT');

    await resealRows(runner, NOTES, columns);

    expect([sealStored(1), sealStored(byHand)]).toEqual([sealOf(['before', 1, null, null]), null]);
    const found = (): Promise<string | undefined> =>
      findDamage(file, [{ table: 'notes', columns }], () => Promise.resolve());
    expect(await found()).toBe(`row ${String(damaged)} of notes differs from what was written`);
    handle.exec(`DELETE FROM notes WHERE id = ${String(damaged)}`);
    handle.exec("UPDATE notes SET added = 'by hand' WHERE id = 1");
    expect([sealStored(1), await found()]).toEqual([null, undefined]);
  });

  it('given a row that a person writes or changes by hand, accepts it', async () => {
    const id = insertSealed('by the app', 1, null);
    handle.exec(`UPDATE notes SET text = 'by hand' WHERE id = ${String(id)}`);
    handle.exec("INSERT INTO notes (text) VALUES ('by hand')");
    handle
      .prepare('UPDATE notes SET text = ?, seal = ? WHERE id = 1')
      .run('by the app', sealOf(['by the app', 1, null]));

    expect([sealStored(1), sealStored(id), sealStored(id + 1)]).toEqual([expect.any(Number), null, null]);
    expect(await damage()).toBeUndefined();
  });

  it('given a text as its key, is checked and loses seals like others', async () => {
    const words = { table: 'words', columns: ['word', 'number'], key: ['word'] };
    handle.exec(
      "CREATE TABLE words (word TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID; INSERT INTO words VALUES ('0', 1), ('b', 2)",
    );
    await sealRows(runner, words);
    const found = (): Promise<string | undefined> => findDamage(file, [words], () => Promise.resolve());
    expect(await found()).toBeUndefined();
    handle.exec("UPDATE words SET seal = seal + 1 WHERE word = '0'");
    expect(await found()).toBe('row 0 of words differs from what was written');
    handle.exec("UPDATE words SET number = 3 WHERE word = '0'");
    expect([await found(), handle.prepare('SELECT count(seal) FROM words').pluck().get()]).toEqual([undefined, 1]);
  });

  it('given a row that differs from what was written, throws the given error, naming the row', () => {
    const seal = new RowSeal('notes', (what) => new AppError('storage-damaged', what, { retry: 'safe' }));

    seal.check(7, sealOf(['a', 1]), ['a', 1]);
    seal.check(7, null, ['b', 1]);
    expect(() => {
      seal.check(7, sealOf(['a', 1]), ['b', 1]);
    }).toThrow('row 7 of notes differs from what was written');
  });

  describe('and thousands of rows, checked while it is in use', () => {
    beforeEach(() => {
      handle.pragma('journal_mode = WAL');
      handle.exec('CREATE INDEX notes_by_text ON notes (text)');
      const fill = handle.transaction(() => {
        for (let n = 0; n < ROWS; n += 1) insertSealed(`text number ${String(n)}`, n, 'more');
      });
      fill();
      handle.pragma('wal_checkpoint(TRUNCATE)');
    });

    /** In the file alone: whoever has it open may still have the page in memory. */
    const change = (edit: (bytes: Buffer) => void): void => {
      const bytes = readFileSync(file);
      edit(bytes);
      writeFileSync(file, bytes);
    };
    const flip = (bytes: Buffer, text: string, from = 0): void => {
      const offset = bytes.indexOf(text, from);
      bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
    };

    it('is found sound, in pieces between which the check pauses', async () => {
      const pauses: number[] = [];
      const found = await findDamage(file, [NOTES], (workedMs) => {
        pauses.push(workedMs);
        return Promise.resolve();
      });

      expect(found).toBeUndefined();
      expect(pauses.length).toBeGreaterThanOrEqual(2 + Math.ceil(ROWS / 1_000));
    });

    it.each([
      [
        'a flipped bit in a text',
        (bytes: Buffer): void => {
          flip(bytes, 'text number 1777');
        },
        /notes/,
      ],
      [
        'a flipped bit in a text without an index',
        (bytes: Buffer): void => {
          flip(bytes, 'more', bytes.indexOf('text number 1777'));
        },
        /row \d+ of notes differs from what was written/,
      ],
      [
        'a page of zeros',
        (bytes: Buffer): void => {
          bytes.fill(0, 10 * PAGE_BYTES, 11 * PAGE_BYTES);
        },
        /./,
      ],
      [
        'a page of noise',
        (bytes: Buffer): void => {
          bytes.fill('noise', 10 * PAGE_BYTES, 11 * PAGE_BYTES);
        },
        /./,
      ],
      [
        'a header that says nothing',
        (bytes: Buffer): void => {
          bytes.fill(0, 0, 100);
        },
        /not a database/,
      ],
    ])('given %s, is found damaged', async (_, edit, found) => {
      change(edit);

      expect(await damage()).toMatch(found);
    });
  });
});
