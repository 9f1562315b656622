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
import { eventually } from '../../../test/support/eventually.js';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { NodeDisk } from '../disk/index.js';
import { acceptMissingCommits, missingCommitsOf, type SqlDatabase } from './index.js';

const DATABASE = 'bookstore.db';
const LOG = `${DATABASE}-wal`;
const WITNESS = `${DATABASE}.commits`;
const BEFORE = 10;
const BOOKS = 200;
/** One more in each of two incarnations begins it. */
const COMMITS = BEFORE + BOOKS + 2;
const INSERT = "INSERT INTO books (title, author, price_cents) VALUES ('T', 'A', 1)";
const LOG_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;

describe('a database that lacks durable commits at a start', () => {
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
    copyFileSync(join(working, WITNESS), join(origin, 'older.commits'));
    await write(await openIn(working), BOOKS);
    await eventually(() => {
      expect(readFileSync(join(working, WITNESS), 'utf8')).toContain(`"commits":${String(COMMITS)},`);
    });
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

  it('given nothing missing after kill -9, opens with every book', async () => {
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
      /does not exist,/,
    ],
  ])(
    'given %s, refuses naming file, expectation and finding, changes nothing, and opens with the right files',
    async (_, damage, found) => {
      damage();
      const before = contents();

      const refused = await openBooksDatabase(at(DATABASE)).catch((error: unknown) => error);

      expect(refused).toMatchObject({ code: 'recovery-needed', message: expect.stringMatching(found) });
      const { message } = refused as Error;
      expect(message).toContain(`${at(DATABASE)} `);
      expect(message).toContain(`${String(COMMITS)} durable commits`);
      expect(message).toContain('npm run data:accept-loss -- --reason');
      expect(contents()).toEqual(before);

      putBack();
      expect(booksIn(await openIn(directory))).toBe(BEFORE + BOOKS);
    },
  );

  it('given an older copy that continued by itself, refuses it although it has as many commits', async () => {
    const elsewhere = temporaryDirectory();
    copyFileSync(join(origin, 'older'), join(elsewhere, DATABASE));
    copyFileSync(join(origin, 'older.commits'), join(elsewhere, WITNESS));
    await write(await openIn(elsewhere), 2 * BOOKS);
    await closeAll();
    rmSync(at(LOG));
    copyFileSync(join(elsewhere, DATABASE), at(DATABASE));
    rmSync(elsewhere, { recursive: true });

    await expect(openIn(directory)).rejects.toMatchObject({
      code: 'recovery-needed',
      message: expect.stringContaining('is a copy with a different history'),
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

  it('given an accepted loss, opens with the rest and watches over it', async () => {
    restoreOlder();
    expect(await missingCommitsOf(new NodeDisk(), at(DATABASE))).toContain('has 11 commits, but');

    await acceptMissingCommits(new NodeDisk(), at(DATABASE));
    await write(await openIn(directory), 5);
    await closeAll();

    expect(booksIn(await openIn(directory))).toBe(BEFORE + 5);
    await closeAll();
    copyFileSync(join(origin, 'older'), at(DATABASE));
    await expect(openIn(directory)).rejects.toMatchObject({ code: 'recovery-needed' });
  });

  it.each([
    [
      'gone',
      (): void => {
        rmSync(at(WITNESS));
      },
    ],
    [
      'unreadable',
      (): void => {
        writeFileSync(at(WITNESS), 'x'.repeat(20_000));
      },
    ],
    [
      'gone together with the log',
      (): void => {
        rmSync(at(WITNESS));
        rmSync(at(LOG));
      },
    ],
    [
      'not copied with it',
      (): void => {
        restoreOlder();
        rmSync(at(WITNESS));
      },
    ],
  ])(
    'given a count beside it that is %s, refuses naming both, changes nothing, and opens when that is accepted',
    async (_, damage) => {
      damage();
      const before = contents();

      await expect(openIn(directory)).rejects.toMatchObject({
        code: 'recovery-needed',
        message: expect.stringMatching(
          /bookstore\.db .*bookstore\.db\.commits.* is missing or unreadable.*data:accept-loss/,
        ),
      });
      expect(await missingCommitsOf(new NodeDisk(), at(DATABASE))).toContain(at(WITNESS));
      expect(contents()).toEqual(before);

      await acceptMissingCommits(new NodeDisk(), at(DATABASE));
      expect(await missingCommitsOf(new NodeDisk(), at(DATABASE))).toBeUndefined();
      const left = booksIn(await openIn(directory));
      await closeAll();
      expect(booksIn(await openIn(directory))).toBe(left);
    },
  );

  it('given a killed first incarnation whose log and count are gone, refuses it', async () => {
    const elsewhere = temporaryDirectory();
    const killed = temporaryDirectory();
    await write(await openIn(elsewhere), 5);
    copyFileSync(join(elsewhere, DATABASE), join(killed, DATABASE));
    await closeAll();

    await expect(openIn(killed)).rejects.toMatchObject({ code: 'recovery-needed' });
    for (const used of [elsewhere, killed]) rmSync(used, { recursive: true });
  });

  it('given a count that was never durable, opens without one', async () => {
    const elsewhere = temporaryDirectory();
    const disk = new NodeDisk();
    const failing = Object.assign(Object.create(disk) as NodeDisk, {
      open: async (path: string) => {
        const file = await disk.open(path);
        const synchronize = file.synchronize.bind(file);
        let isFirst = true;
        file.synchronize = () => {
          if (!isFirst) return Promise.reject(new Error('the disk is full'));
          isFirst = false;
          return synchronize();
        };
        return file;
      },
    });
    open.push(await openBooksDatabase(join(elsewhere, DATABASE), { disk: failing }));
    await closeAll();
    rmSync(join(elsewhere, WITNESS));

    expect(booksIn(await openIn(elsewhere))).toBe(0);
    rmSync(elsewhere, { recursive: true });
  });
});
