import { cpSync, closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { expect } from './expect.js';
import { CONNECTIONS } from './load.js';
import type { ServerProcess } from './processes.js';
import { storedRows } from './stored.js';

/** An app's directory whose process was killed with SIGKILL while it held all that `fill` adds. Made once, then copied. */
export class LargeStore {
  static readonly CUSTOMERS = 100_000;

  constructor(
    private readonly directory: string,
    private readonly start: (directory: string) => Promise<ServerProcess>,
    private readonly fill: (app: ServerProcess) => Promise<void> = (app) => addCustomers(app, LargeStore.CUSTOMERS),
  ) {}

  /** Gives `to` a copy of its own, so that every start finds the same. */
  async copyTo(to: string): Promise<void> {
    if (!existsSync(this.directory)) {
      process.stdout.write('(loading a large store) ');
      const app = await this.start(this.directory);
      await this.fill(app);
      await app.kill();
    }
    copyDirectory(this.directory, to);
  }
}

/** Through the API, many at a time. */
export function addCustomers(app: ServerProcess, count: number): Promise<void> {
  return add(app, '/customers', count, (number) => ({
    name: `Customer ${String(number)}`,
    email: `customer-${String(number)}@example.org`,
  }));
}

/** 100,000 customers and as many books, items, users and orders. */
export async function fillShop(app: ServerProcess): Promise<void> {
  const many = LargeStore.CUSTOMERS;
  await addCustomers(app, many);
  await add(app, '/books', many, (number) => ({
    ...{ title: `Book ${String(number)}`, author: 'Ursula K. Le Guin', price: 12.5, quantity: number },
  }));
  for (const path of [
    `/payment/batch_init/${String(many)}/1000`,
    `/stock/batch_init/${String(many)}/1000/1`,
    `/orders/batch_init/${String(many)}/${String(many)}/${String(many)}/1`,
  ]) {
    const answer = await fetch(app.url + path, { method: 'POST' });
    expect(answer.status === 200, `${path} was answered with ${answer.status}`);
  }
}

async function add(app: ServerProcess, path: string, count: number, bodyOf: (number: number) => object): Promise<void> {
  const pool = new Pool(app.url, { connections: CONNECTIONS });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const body = JSON.stringify(bodyOf(next));
      const headers = { 'content-type': 'application/json' };
      const answer = await pool.request({ path, method: 'POST', headers, body });
      await answer.body.dump();
      expect(answer.statusCode === 201, `POST ${path} was answered with ${answer.statusCode}`);
    }
  };
  const before = await storedRows(app.url, path);
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  } finally {
    await pool.close();
  }
  const stored = (await storedRows(app.url, path)) - before;
  expect(stored === count, `${stored} of ${path} are stored instead of ${count}`);
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
