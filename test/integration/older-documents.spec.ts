import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { runToEnd } from '../support/start-process.js';

const TEST_TIMEOUT_MS = 120_000;
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const CUSTOMER = { name: 'Ada Lovelace', email: 'ada@example.org' };

async function post<T>(url: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as T;
}

describe('documents that are put back from a backup, beside a bookstore.db that is newer', () => {
  let directory: string;
  let backup: string;
  let app: AppProcess;

  const transact = async (): Promise<string> => {
    return (await post<{ transactionId: string }>(`${app.url}/books-2pc`, BOOK)).transactionId;
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    backup = mkdtempSync(join(tmpdir(), 'bifolio-backup-'));
    app = await AppProcess.start(directory);
    await post(`${app.url}/customers`, CUSTOMER);
    await transact();
    await app.stop();
    cpSync(join(directory, 'documents'), join(backup, 'documents'), { recursive: true });
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
    removeDirectory(backup);
  });

  it(
    'are refused until their loss is accepted, then naming the transactions that they lack, until that is accepted; then every start goes on',
    async () => {
      app = await AppProcess.start(directory);
      const lost = [await transact(), await transact()];
      await app.stop();
      rmSync(join(directory, 'documents'), { recursive: true });
      cpSync(join(backup, 'documents'), join(directory, 'documents'), { recursive: true });

      const incomplete = AppProcess.spawn(directory);
      expect((await incomplete.exited).code).toBe(1);
      expect(incomplete.printed).toMatch(/^recovery-needed: .*documents\.end says; .*npm run data:accept-loss/);
      const args = ['--reason', 'Monday is what there is'];
      expect((await runToEnd('acceptLoss', directory, { args })).code).toBe(0);

      const refused = AppProcess.spawn(directory);
      expect((await refused.exited).code).toBe(1);
      expect(refused.printed).toMatch(/^recovery-needed: .*npm run transactions:accept/);
      for (const id of lost) expect(refused.printed).toContain(id);

      const accepted = await runToEnd('accept', directory, { args });
      expect(accepted.code).toBe(0);
      for (const id of lost) expect(accepted.printed).toContain(`given up: books-2pc ${id}, which documents has lost`);

      for (let starts = 0; starts < 2; starts += 1) {
        app = await AppProcess.start(directory);
        await transact();
        await app.kill();
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describe('documents that are gone with the witness of their end, beside a bookstore.db that has committed transactions, without replicas', () => {
  let directory: string;
  let app: AppProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory);
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  it(
    'are refused at every start, on one line that names the transactions and says what to do',
    async () => {
      const { transactionId } = await post<{ transactionId: string }>(`${app.url}/books-2pc`, BOOK);
      await app.stop();
      for (const name of ['documents', 'documents.end']) rmSync(join(directory, name), { recursive: true });

      for (let starts = 0; starts < 5; starts += 1) {
        app = AppProcess.spawn(directory);
        expect([starts, await app.exited]).toEqual([starts, { code: 1, signal: null }]);
        const [line = '', ...more] = app.printed.trim().split('\n');
        expect([line, more]).toEqual([expect.stringMatching(/^recovery-needed: /), []]);
        expect(line).toContain(
          `the database has committed books-2pc ${transactionId}, of which documents knows nothing`,
        );
        expect(line).toMatch(/Put back the store that is the older copy, .*npm run transactions:accept -- --reason "/);
      }
    },
    TEST_TIMEOUT_MS,
  );
});
