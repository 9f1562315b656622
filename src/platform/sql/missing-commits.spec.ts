import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { NodeDisk } from '../disk/index.js';
import { acceptMissingCommits, missingCommitsOf, type SqlDatabase } from './index.js';

const DATABASE = 'bookstore.db';
const LOG = `${DATABASE}-wal`;
const BEFORE = 10;
const BOOKS = 200;
/** One more in each of two lives begins it. */
const COMMITS = BEFORE + BOOKS + 2;
const INSERT = "INSERT INTO books (title, author, price_cents, quantity) VALUES ('T', 'A', 1, 1)";
const LOG_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;

describe('a database of which durable commits are missing at a start', () => {
  let origin: string;
  let directory: string;
  let open: SqlDatabase[];

  const openIn = async (where: string): Promise<SqlDatabase> => {
    const database = await openBooksDatabase(join(where, DATABASE));
    open.push(database);
    return database;
  };
  const closeAll = async (): Promise<void> => {
    for (const database of open) await database.close();
    open = [];
  };
  const write = async ({ writer, writeHandle }: SqlDatabase, books: number): Promise<void> => {
    for (let n = 0; n < books; n += 1) await writer.run(() => writeHandle.exec(INSERT));
  };
  const booksIn = ({ reader }: SqlDatabase): unknown =>
    reader.handle.prepare('SELECT count(*) FROM books').pluck().get();
  const at = (name: string): string => join(directory, name);
  const putBack = (): void => {
    cpSync(join(origin, 'killed'), directory, { recursive: true });
  };
  /** But for the index of the log, which every opening makes anew, and a log with nothing in it. */
  const contents = (): readonly string[] =>
    readdirSync(directory)
      .filter((name) => !name.endsWith('-shm') && !(name === LOG && statSync(at(name)).size === 0))
      .map(
        (name) =>
          `${name} ${createHash('sha256')
            .update(readFileSync(at(name)))
            .digest('hex')}`,
      );

  /** `killed`: as `kill -9` leaves it. `older`: a copy that was made before. */
  beforeAll(async () => {
    open = [];
    origin = temporaryDirectory();
    const working = join(origin, 'working');
    cpSync(temporaryDirectory(), working, { recursive: true });
    await write(await openIn(working), BEFORE);
    await closeAll();
    copyFileSync(join(working, DATABASE), join(origin, 'older'));
    await write(await openIn(working), BOOKS);
    cpSync(working, join(origin, 'killed'), { recursive: true });
    await closeAll();
  });

  beforeEach(() => {
    directory = temporaryDirectory();
    putBack();
  });

  afterEach(async () => {
    await closeAll();
    rmSync(directory, { recursive: true });
  });

  afterAll(() => {
    rmSync(origin, { recursive: true });
  });

  const flipBit = (name: string, offset: number): void => {
    const bytes = readFileSync(at(name));
    bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
    writeFileSync(at(name), bytes);
  };
  const restoreOlder = (): void => {
    rmSync(at(LOG));
    copyFileSync(join(origin, 'older'), at(DATABASE));
  };

  it('given that nothing is missing after kill -9, opens with every book', async () => {
    expect(booksIn(await openIn(directory))).toBe(BEFORE + BOOKS);
    expect(await missingCommitsOf(new NodeDisk(), at(DATABASE))).toBeUndefined();
  });

  it.each([
    [
      'a flipped bit in its log',
      (): void => {
        flipBit(LOG, LOG_HEADER_BYTES + 300 * FRAME_BYTES + 1_000);
      },
      /has \d+ commits,/,
    ],
    [
      'a flipped bit at the beginning of its log',
      (): void => {
        flipBit(LOG, 20);
      },
      /has \d+ commits,/,
    ],
    [
      'a log that is cut off',
      (): void => {
        truncateSync(at(LOG), LOG_HEADER_BYTES + 400 * FRAME_BYTES + 7);
      },
      /has \d+ commits,/,
    ],
    [
      'a log that is cut to nothing',
      (): void => {
        truncateSync(at(LOG), 0);
      },
      /has 11 commits,/,
    ],
    [
      'no log',
      (): void => {
        rmSync(at(LOG));
      },
      /has 11 commits,/,
    ],
    ['an older copy in its place', restoreOlder, /has 11 commits,/],
    [
      'an empty file in its place',
      (): void => {
        rmSync(at(LOG));
        truncateSync(at(DATABASE), 0);
      },
      /is empty,/,
    ],
    [
      'no file in its place',
      (): void => {
        rmSync(at(LOG));
        rmSync(at(DATABASE));
      },
      /is not there,/,
    ],
  ])(
    'given %s, refuses naming file, expected and found, changes nothing, and opens with what belongs there',
    async (_, damage, found) => {
      damage();
      const before = contents();

      const refused = await openBooksDatabase(at(DATABASE)).catch((error: unknown) => error);

      expect(refused).toMatchObject({ code: 'recovery-needed', message: expect.stringMatching(found) });
      const { message } = refused as Error;
      expect(message).toContain(`${at(DATABASE)} `);
      expect(message).toContain(`${String(COMMITS)} commits of it were durable`);
      expect(message).toContain('npm run data:accept-loss -- --reason');
      expect(contents()).toEqual(before);

      putBack();
      expect(booksIn(await openIn(directory))).toBe(BEFORE + BOOKS);
    },
  );

  it('given an older copy that has gone on by itself since, refuses it though it has as many commits', async () => {
    const elsewhere = temporaryDirectory();
    copyFileSync(join(origin, 'older'), join(elsewhere, DATABASE));
    await write(await openIn(elsewhere), 2 * BOOKS);
    await closeAll();
    rmSync(at(LOG));
    copyFileSync(join(elsewhere, DATABASE), at(DATABASE));
    rmSync(elsewhere, { recursive: true });

    await expect(openIn(directory)).rejects.toMatchObject({
      code: 'recovery-needed',
      message: expect.stringContaining('is a copy that went its own way'),
    });
  });

  it('given another database under its name, refuses it', async () => {
    const elsewhere = temporaryDirectory();
    await write(await openIn(elsewhere), 2 * BOOKS);
    await closeAll();
    rmSync(at(LOG));
    copyFileSync(join(elsewhere, DATABASE), at(DATABASE));
    rmSync(elsewhere, { recursive: true });

    await expect(openIn(directory)).rejects.toMatchObject({ message: expect.stringContaining('is another database') });
  });

  it('given that the loss is accepted, opens with what is there and watches over that', async () => {
    restoreOlder();
    expect(await missingCommitsOf(new NodeDisk(), at(DATABASE))).toContain('has 11 commits, and');

    await acceptMissingCommits(new NodeDisk(), at(DATABASE));
    await write(await openIn(directory), 5);
    await closeAll();

    expect(booksIn(await openIn(directory))).toBe(BEFORE + 5);
    await closeAll();
    copyFileSync(join(origin, 'older'), at(DATABASE));
    await expect(openIn(directory)).rejects.toMatchObject({ code: 'recovery-needed' });
  });

  it('given that the count beside it is gone or unreadable, opens: it is no part of the data', async () => {
    writeFileSync(at(`${DATABASE}.commits`), 'x'.repeat(20_000));
    expect(booksIn(await openIn(directory))).toBe(BEFORE + BOOKS);
    await closeAll();
    rmSync(at(`${DATABASE}.commits`));
    expect(booksIn(await openIn(directory))).toBe(BEFORE + BOOKS);
  });
});
