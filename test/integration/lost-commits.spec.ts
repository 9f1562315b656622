import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { runToEnd } from '../support/start-process.js';

const TEST_TIMEOUT_MS = 120_000;
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const BOOKS = 40;
const DATABASE = 'bookstore.db';
const REASON = 'the log is damaged for good';

describe('the app after kill -9, with acknowledged books', () => {
  let directory: string;
  let copy: string;
  let app: AppProcess;

  const at = (suffix: string): string => join(directory, `${DATABASE}${suffix}`);
  const post = async (): Promise<number> => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${app.url}/books`, { method: 'POST', headers, body: JSON.stringify(BOOK) })).status;
  };
  const booksThere = async (): Promise<number> =>
    ((await (await fetch(`${app.url}/books`)).json()) as unknown[]).length;
  const flipBitInLog = (): void => {
    const bytes = readFileSync(at('-wal'));
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(at('-wal'), bytes);
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    copy = temporaryDirectory();
    app = await AppProcess.start(directory);
    for (let n = 0; n < BOOKS; n += 1) expect(await post()).toBe(201);
    await app.kill();
    cpSync(directory, copy, { recursive: true });
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
    removeDirectory(copy);
  });

  it.each([
    ['a flipped bit in bookstore.db-wal', flipBitInLog],
    [
      'bookstore.db-wal cut in half',
      (): void => {
        truncateSync(at('-wal'), Math.floor(statSync(at('-wal')).size / 2));
      },
    ],
    [
      'bookstore.db-wal deleted',
      (): void => {
        rmSync(at('-wal'));
      },
    ],
  ])(
    'given %s, refuses to start without them, naming the file and both counts, and starts whole with the right files',
    async (_, damage) => {
      damage();

      const refused = AppProcess.spawn(directory);
      expect((await refused.exited).code).toBe(1);
      expect(refused.printed.trim().split('\n')).toHaveLength(1);
      expect(refused.printed).toMatch(
        /^recovery-needed: \S+bookstore\.db (?:has \d+ commits|is older than its first commit), but \S+ records \d+ durable commits.*npm run data:accept-loss/,
      );

      cpSync(copy, directory, { recursive: true });
      app = await AppProcess.start(directory);
      expect(await booksThere()).toBe(BOOKS);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a deleted bookstore.db-wal and count beside it, names both, and starts with the rest once the loss is accepted',
    async () => {
      for (const suffix of ['-wal', '.commits']) rmSync(at(suffix));

      const refused = AppProcess.spawn(directory);
      expect((await refused.exited).code).toBe(1);
      expect(refused.printed.trim().split('\n')).toHaveLength(1);
      expect(refused.printed).toMatch(
        /^recovery-needed: \S+bookstore\.db may lack durable commits.*bookstore\.db\.commits.* is missing or unreadable.*npm run data:accept-loss/,
      );

      const accepted = await runToEnd('acceptLoss', directory, { args: ['--reason', REASON] });
      expect([accepted.code, accepted.printed]).toEqual([0, expect.stringContaining('bookstore.db.commits')]);
      app = await AppProcess.start(directory);
      expect(await booksThere()).toBeLessThan(BOOKS);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a loss accepted with a reason, starts with the rest, keeps the reason, and finds nothing more to accept',
    async () => {
      flipBitInLog();
      expect((await runToEnd('acceptLoss', directory)).code).toBe(2);
      expect((await runToEnd('acceptLoss', directory, { args: ['--reason', ' '] })).code).toBe(1);

      const accepted = await runToEnd('acceptLoss', directory, { args: ['--reason', REASON] });
      expect([accepted.code, accepted.printed]).toEqual([0, expect.stringContaining('bookstore.db has ')]);
      const [line = ''] = readFileSync(join(directory, 'accepted-losses.log'), 'utf8').split('\n');
      expect(JSON.parse(line)).toMatchObject({ reason: REASON, lost: expect.stringContaining(DATABASE) });

      app = await AppProcess.start(directory);
      const left = await booksThere();
      expect(left).toBeLessThan(BOOKS);
      expect([await post(), await booksThere()]).toEqual([201, left + 1]);
      await app.stop();
      const again = await runToEnd('acceptLoss', directory, { args: ['--reason', REASON] });
      expect([again.code, again.printed]).toEqual([0, expect.stringContaining('Nothing to accept')]);
    },
    TEST_TIMEOUT_MS,
  );
});
