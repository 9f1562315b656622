import { cpSync, closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { expect } from './expect.js';
import { CONNECTIONS } from './load.js';
import type { ServerProcess } from './processes.js';
import { storedRows } from './stored.js';

/** An app's directory whose process was killed with SIGKILL while it held so many customers. Made once, then copied. */
export class LargeStore {
  static readonly CUSTOMERS = 100_000;

  constructor(
    private readonly directory: string,
    private readonly start: (directory: string) => Promise<ServerProcess>,
  ) {}

  /** Gives `to` a copy of its own, so that every start finds the same. */
  async copyTo(to: string): Promise<void> {
    if (!existsSync(this.directory)) {
      process.stdout.write(`(loading ${LargeStore.CUSTOMERS} customers) `);
      const app = await this.start(this.directory);
      await addCustomers(app, LargeStore.CUSTOMERS);
      await app.kill();
    }
    copyDirectory(this.directory, to);
  }
}

/** Through the API, many at a time. */
export async function addCustomers(app: ServerProcess, count: number): Promise<void> {
  const pool = new Pool(app.url, { connections: CONNECTIONS });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const body = JSON.stringify({ name: `Customer ${String(next)}`, email: `customer-${String(next)}@example.org` });
      const headers = { 'content-type': 'application/json' };
      const answer = await pool.request({ path: '/customers', method: 'POST', headers, body });
      await answer.body.dump();
      expect(answer.statusCode === 201, `a customer was answered with ${answer.statusCode}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  } finally {
    await pool.close();
  }
  const stored = await storedRows(app.url, '/customers');
  expect(stored === count, `${stored} customers are stored instead of ${count}`);
}

/** `to` is replaced. On the disk when it returns, or writing it back would slow down what is measured next. */
export function copyDirectory(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = openSync(join(entry.parentPath, entry.name), 'r+');
    fsyncSync(file);
    closeSync(file);
  }
}
