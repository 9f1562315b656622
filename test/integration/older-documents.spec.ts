import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { runToEnd } from '../support/start-process.js';
import { storedSnapshot } from '../support/stored-snapshot.js';

const TEST_TIMEOUT_MS = 120_000;
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const CUSTOMER = { name: 'Ada Lovelace', email: 'ada@example.org' };

async function post<T>(url: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as T;
}

describe('documents from a backup, beside a newer bookstore.db', () => {
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
    'are refused until their loss is accepted, then until the missing transactions are accepted; then every start succeeds',
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

describe('lost documents without replicas, beside a bookstore.db with committed transactions', () => {
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
        // A slow start writes what it has warned of before it is refused.
        app = AppProcess.spawn(directory, { LOG_LEVEL: 'error' });
        expect([starts, await app.exited]).toEqual([starts, { code: 1, signal: null }]);
        const [line = '', ...more] = app.printed.trim().split('\n');
        expect([line, more]).toEqual([expect.stringMatching(/^recovery-needed: /), []]);
        expect(line).toContain(`the database has committed books-2pc ${transactionId}, which documents does not know`);
        expect(line).toMatch(/Replace the older copy, .*npm run transactions:accept -- --reason "/);
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describe('documents whose snapshot an earlier version wrote', () => {
  let directory: string;
  let app: AppProcess;
  const body = JSON.stringify({ name: 'Ada King', email: 'ada@example.org' });

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  const replace = (path: string): Promise<Response> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
    return fetch(app.url + path, { method: 'PUT', headers, body });
  };

  /** As format 1 has it: operations in `_meta`, without owners, their scope made of the path as it was sent. */
  const asBefore = (text: string): string => {
    const { _operations, _meta } = JSON.parse(text) as {
      readonly _operations: readonly Record<string, unknown>[];
      readonly _meta: Record<string, unknown>;
    };
    const scope = createHash('sha256').update(JSON.stringify(['anonymous', 'PUT', '/customers/1', 'k']));
    const earlier = { scope: scope.digest('base64url'), owner: undefined };
    const operations = _operations.map((operation) => ({
      ...operation,
      ...(operation['scope'] !== undefined && earlier),
    }));
    const meta = { ..._meta, format: 1, operationsAt: undefined, retention: undefined, operations };
    const documents = text.slice(0, text.indexOf('"_operations"'));
    const before = `${documents}"_meta":${JSON.stringify(meta)}`;
    return `${before},"_checksum":"${crc32(before).toString(16).padStart(8, '0')}"}\n`;
  };

  it(
    'are read, replay the recorded keys, and are written in the present format',
    async () => {
      app = await AppProcess.start(directory, { SNAPSHOT_EVERY_BYTES: '0' });
      await post(`${app.url}/customers`, CUSTOMER);
      const first = await replace('/customers/1');
      await app.stop();
      const file = storedSnapshot(directory) ?? '';
      writeFileSync(join(directory, 'documents', 'documents.json'), asBefore(readFileSync(file, 'utf8')));
      rmSync(file);

      app = await AppProcess.start(directory, { SNAPSHOT_EVERY_BYTES: '0' });
      for (const path of ['/customers/1', '/customers/%31']) {
        const again = await replace(path);
        expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
        expect(again.headers.get('x-commit')).toBe(first.headers.get('x-commit'));
      }
      await post(`${app.url}/customers`, CUSTOMER);
      await app.stop();
      const written = readFileSync(storedSnapshot(directory) ?? '', 'utf8');
      expect(JSON.parse(written)).toMatchObject({ _meta: { format: 2, retention: 2 } });
      app = await AppProcess.start(directory);
      expect((await replace('/customers/1')).headers.get('idempotency-replayed')).toBe('true');
    },
    TEST_TIMEOUT_MS,
  );
});
