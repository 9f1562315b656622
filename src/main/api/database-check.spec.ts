import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { eventually } from '../../../test/support/eventually.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { DataFiles } from '../../platform/data-files/index.js';
import type { SqlDatabase } from '../../platform/sql/index.js';
import { DatabaseCheck } from './database-check.js';

const MIB = 2 ** 20;
const EVERY_MS = 60_000;
const LOOK_MS = 1_000;
const WITHIN = { withinMs: 60_000 };
const DRIVER = pathToFileURL(join(process.cwd(), 'node_modules/better-sqlite3/lib/index.js')).href;
/** Reads as one statement of a check does, and comes to no end by itself. */
const ENDLESS = `
  import { writeFileSync } from 'node:fs';
  import Database from '${DRIVER}';
  const handle = new Database(process.argv[2], { readonly: true });
  handle.exec('BEGIN');
  handle.prepare('SELECT count(*) FROM books').get();
  writeFileSync(process.argv[2] + '.reading', String(process.pid));
  // A handle that nothing refers to would be collected, and its read with it.
  setInterval(() => handle.open, 1_000);
`;

describe('the check of a database during writes', () => {
  let directory: string;
  let file: string;
  let database: SqlDatabase;
  let timers: SimulatedTimers;
  let log: RecordingLog;
  let files: DataFiles;
  let check: DatabaseCheck;

  const logBytes = (): number => statSync(`${file}-wal`).size;
  const writeMib = (mib: number): Promise<void> => {
    const { writer, writeHandle } = database;
    const insert = writeHandle.prepare(
      "INSERT INTO books (title, author, price_cents) VALUES (hex(randomblob(500000)), 'A', 1)",
    );
    return writer.run(() => {
      for (let n = 0; n < mib; n += 1) insert.run();
    });
  };
  const beginsToRead = async (): Promise<void> => {
    rmSync(`${file}.reading`, { force: true });
    timers.pass(EVERY_MS);
    await eventually(() => readFileSync(`${file}.reading`), WITHIN);
  };
  /** Until it is ended; the growth of the log that this took. */
  const writeUntilEnded = async (): Promise<number> => {
    const before = logBytes();
    const warned = log.warnings.length;
    for (let mib = 0; mib < 200; mib += 1) {
      await writeMib(1);
      const grown = logBytes() - before;
      timers.pass(LOOK_MS);
      // It is not looked at any more, and the next one is planned when it has ended.
      if (timers.pending === 0) {
        await eventually(() => expect(log.warnings).toHaveLength(warned + 1), WITHIN);
        return grown;
      }
    }
    throw new Error(`the log has ${String(logBytes())} bytes, and nothing was ended`);
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'bookstore.db');
    database = await openBooksDatabase(file);
    timers = new SimulatedTimers();
    log = new RecordingLog();
    files = new DataFiles(log);
    const program = join(directory, 'endless.mjs');
    writeFileSync(program, ENDLESS);
    check = new DatabaseCheck({ timers, log, files }, { file, sealed: [], program: () => program, everyMs: EVERY_MS });
    check.begin();
  });

  afterEach(async () => {
    await check.end();
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('given a -wal that grows by 10 MiB, is ended without reporting damage, and the -wal shrinks again', async () => {
    await beginsToRead();

    expect(await writeUntilEnded()).toBeLessThan(13 * MIB);

    expect(files.problem).toBeUndefined();
    expect(log.entries.at(-1)?.details).toMatchObject({ file, reason: expect.stringContaining('-wal') });
    for (let n = 0; n < 3; n += 1) await writeMib(1);
    expect(logBytes()).toBeLessThanOrEqual(10 * MIB);
  });

  it('is repeated with a higher limit each time, up to a maximum', async () => {
    const grown: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      await beginsToRead();
      grown.push((await writeUntilEnded()) / MIB);
      for (let more = 0; more < 3; more += 1) await writeMib(1);
    }

    [10, 20, 40, 80, 80].forEach((mib, n) => {
      expect(grown[n]).toBeGreaterThan(mib);
      expect(grown[n]).toBeLessThan(mib + 3);
    });
  }, 120_000);
});
