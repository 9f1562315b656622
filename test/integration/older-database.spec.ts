import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdtempSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { withoutTransactions } from '../support/sql-file.js';
import { runToEnd } from '../support/start-process.js';

const TEST_TIMEOUT_MS = 120_000;
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const CUSTOMER = { name: 'Ada Lovelace', email: 'ada@example.org' };
const UNKNOWN_DATABASE = { decision: 'abort', reason: 'the backup is of Monday' };
const DATABASE = 'bookstore.db';

interface Transaction {
  readonly id: string;
  readonly state: string;
  readonly reason?: string;
}

async function ask<T>(
  url: string,
  body?: unknown,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: T }> {
  const headers = { 'content-type': 'application/json', ...more };
  const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as T };
}

describe('a bookstore.db from a backup, beside newer documents', () => {
  let directory: string;
  let backup: string;
  let app: AppProcess;

  const putOlderThere = (): void => {
    for (const suffix of ['-wal', '-shm']) rmSync(join(directory, `${DATABASE}${suffix}`), { force: true });
    copyFileSync(join(backup, DATABASE), join(directory, DATABASE));
  };
  /** What a start and what `npm run transactions:accept` say. */
  const refusals = async (): Promise<readonly string[]> => {
    const started = AppProcess.spawn(directory);
    expect((await started.exited).code).toBe(1);
    const accepting = await runToEnd('accept', directory, { args: ['--reason', 'it is of Monday'] });
    expect(accepting.code).toBe(1);
    return [started.printed, accepting.printed];
  };
  /** And accepts that commits are missing from it. */
  const restore = async (): Promise<void> => {
    putOlderThere();
    const accepted = await runToEnd('acceptLoss', directory, { args: ['--reason', 'the backup is of Monday'] });
    expect([accepted.code, accepted.printed]).toEqual([
      0,
      expect.stringMatching(/^accepted: .*the backup is of Monday/),
    ]);
  };
  const ordersOf = async (): Promise<number> => {
    return (await ask<{ orders_count: number }>(`${app.url}/customers/1`)).body.orders_count;
  };
  const booksThere = async (): Promise<number> => (await ask<unknown[]>(`${app.url}/books`)).body.length;

  /** With one customer, and a backup that was taken then. */
  beforeEach(async () => {
    directory = temporaryDirectory();
    backup = mkdtempSync(join(tmpdir(), 'bifolio-backup-'));
    app = await AppProcess.start(directory);
    await ask(`${app.url}/customers`, CUSTOMER);
    await app.stop();
    copyFileSync(join(directory, DATABASE), join(backup, DATABASE));
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
    removeDirectory(backup);
  });

  it(
    'given transactions that the documents have committed, is refused and lists them until they are accepted',
    async () => {
      app = await AppProcess.start(directory);
      const ids: string[] = [];
      for (let n = 0; n < 2; n += 1) {
        const key = { 'idempotency-key': `n ${String(n)}` };
        ids.push((await ask<{ transactionId: string }>(`${app.url}/books-2pc`, BOOK, key)).body.transactionId);
      }
      await app.kill();
      putOlderThere();
      for (const refusal of await refusals()) {
        expect(refusal).toMatch(
          /^recovery-needed: .*bookstore\.db has \d+ commits, but \S+ records \d+ durable commits/,
        );
        expect(refusal).toContain('npm run data:accept-loss');
        expect(refusal.trim().split('\n')).toHaveLength(1);
      }
      await restore();

      const refused = AppProcess.spawn(directory);
      expect((await refused.exited).code).toBe(1);
      expect(refused.printed.trim().split('\n')).toHaveLength(1);
      expect(refused.printed).toMatch(/^recovery-needed: .*npm run transactions:accept/);
      // Nothing that would be played into the copy that is put in its place now.
      expect(existsSync(join(directory, `${DATABASE}-wal`))).toBe(false);
      for (const id of ids) expect(refused.printed).toContain(id);

      expect((await runToEnd('accept', directory)).code).toBe(2);
      expect((await runToEnd('accept', directory, { args: ['--reason', ' '] })).code).toBe(1);
      const accepted = await runToEnd('accept', directory, { args: ['--reason', 'the books are lost'] });
      expect(accepted.code).toBe(0);
      for (const id of ids)
        expect(accepted.printed).toMatch(new RegExp(`accepted: books-2pc ${id} .*the books are lost`));
      const again = await runToEnd('accept', directory, { args: ['--reason', 'once more'] });
      expect([again.code, again.printed]).toEqual([0, expect.stringContaining('Nothing to accept')]);

      app = await AppProcess.start(directory);
      expect([await ordersOf(), await booksThere()]).toEqual([2, 0]);
      for (const id of ids) {
        const { body } = await ask<Transaction>(`${app.url}/transactions/${id}`);
        expect(body).toMatchObject({ id, state: 'committed', reason: 'the books are lost' });
      }
      // What is lost with the database is also that these keys were used: in it, with the books.
      expect((await ask(`${app.url}/books-2pc`, BOOK, { 'idempotency-key': 'n 0' })).status).toBe(201);
      expect([await ordersOf(), await booksThere()]).toEqual([3, 1]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a prepared transaction that an operator commits, completes its documents part without knowing its key',
    async () => {
      const key = { 'idempotency-key': 'once' };
      app = await AppProcess.start(directory, { FAULTS: '1', CRASH_SITE: '2pc.decide.before' });
      await ask(`${app.url}/books-2pc`, BOOK, key).catch(() => undefined);
      await app.exited;
      await restore();

      app = await AppProcess.start(directory);
      const [found] = (await ask<Transaction[]>(`${app.url}/transactions?state=unmatched`)).body;
      const commit = { ...UNKNOWN_DATABASE, decision: 'commit' };
      const resolved = await ask<Transaction>(`${app.url}/transactions/${found?.id ?? ''}/resolve`, commit);
      expect([resolved.status, resolved.body.state]).toEqual([200, 'committed']);
      expect([await ordersOf(), await booksThere()]).toEqual([1, 0]);

      expect((await ask(`${app.url}/books-2pc`, BOOK, key)).status).toBe(201);
      expect([await ordersOf(), await booksThere()]).toEqual([2, 1]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a version without transactions, cannot be accepted, and a start upgrades it, as one line says',
    async () => {
      withoutTransactions(join(backup, DATABASE));
      await restore();

      const args = ['--reason', 'the backup is of last year'];
      const refused = await runToEnd('accept', directory, { args });
      expect(refused).toEqual({
        code: 1,
        printed: expect.stringMatching(
          /^not-ready: .*bookstore\.db comes from a version without transactions: run "npm start", .*\n$/,
        ),
      });

      app = await AppProcess.start(directory);
      expect(await ordersOf()).toBe(0);
      await app.stop();
      expect((await runToEnd('accept', directory, { args })).printed).toMatch(/Nothing to accept/);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a prepared transaction, leaves it to an operator, who decides it with a reason',
    async () => {
      app = await AppProcess.start(directory, { FAULTS: '1', CRASH_SITE: '2pc.decide.before' });
      const unanswered = await ask(`${app.url}/books-2pc`, BOOK).catch(() => undefined);
      expect(unanswered).toBeUndefined();
      await app.exited;
      await restore();

      // A start that decides nothing must leave as much to the next one.
      app = await AppProcess.start(directory);
      await app.kill();
      app = await AppProcess.start(directory);
      const [found, ...others] = (await ask<Transaction[]>(`${app.url}/transactions?state=unmatched`)).body;
      expect([found?.state, others]).toEqual(['unmatched', []]);
      const at = `${app.url}/transactions/${found?.id ?? ''}`;
      expect((await ask<{ unmatched: string[] }>(`${app.url}/transactions/recover`, {})).body.unmatched).toEqual([
        found?.id,
      ]);
      expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
      expect(await (await fetch(`${app.url}/metrics`)).text()).toContain('bifolio_transactions_in_doubt 1');

      const resolved = await ask<Transaction>(`${at}/resolve`, UNKNOWN_DATABASE);
      expect([resolved.status, resolved.body.state, resolved.body.reason]).toEqual([
        200,
        'aborted',
        expect.stringContaining(UNKNOWN_DATABASE.reason),
      ]);
      expect((await ask(`${at}/resolve`, { ...UNKNOWN_DATABASE, decision: 'commit' })).status).toBe(409);
      expect([await ordersOf(), await booksThere()]).toEqual([0, 0]);
      expect((await ask<Transaction[]>(`${app.url}/transactions?state=unmatched`)).body).toEqual([]);
      expect(await (await fetch(`${app.url}/metrics`)).text()).toContain('bifolio_transactions_in_doubt 0');

      await app.kill();
      app = await AppProcess.start(directory);
      expect((await ask<Transaction>(`${app.url}/transactions/${found?.id ?? ''}`)).body.state).toBe('aborted');
      expect(await ordersOf()).toBe(0);
    },
    TEST_TIMEOUT_MS,
  );
});
