import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { freePorts } from '../support/stand-in-fleet.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const TEST_TIMEOUT_MS = 180_000;
const READY = /To stop/;
const CUSTOMERS = 40;

interface Ran {
  readonly code: number | null;
  readonly printed: string;
}

/** `npm start` as a person has it: an app and four replicas, all real. */
describe('Bifolio on four replicas', () => {
  let root: string;
  let data: string;
  let settings: Readonly<Record<string, string>>;

  beforeEach(async () => {
    root = temporaryDirectory();
    data = join(root, 'data');
    const ports = await freePorts(4);
    settings = { REPLICA_PORTS: ports.join(','), REPLICAS_DIR: join(root, 'replicas'), SNAPSHOT_EVERY_BYTES: '3000' };
  });

  afterEach(async () => {
    const stopped = await run('stop', '--force');
    removeDirectory(root);
    expect(stopped.code).toBe(0);
  });

  const run = (command: ConstructorParameters<typeof StartProcess>[0], ...args: readonly string[]): Promise<Ran> =>
    runToEnd(command, data, { ...settings, args });

  async function start(): Promise<StartProcess> {
    const started = new StartProcess('start', data, settings);
    await started.prints(READY);
    return started;
  }

  async function createCustomers(url: string, from: number, to: number): Promise<void> {
    for (let number = from; number <= to; number += 1) {
      const answer = await fetch(`${url}/customers`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: `Customer ${number}`, email: 'customer@example.org' }),
      });
      expect([answer.status, answer.headers.get('x-replicas-acked')]).toEqual([201, '4/4']);
    }
  }

  async function names(url: string): Promise<string[]> {
    const answer = await fetch(`${url}/customers?limit=1000`);
    return ((await answer.json()) as { readonly name: string }[]).map(({ name }) => name);
  }

  it(
    'given a lost data directory, refuses to start over and restores every confirmed customer from the replicas',
    async () => {
      const { app } = await start();
      await createCustomers(app.url, 1, CUSTOMERS);
      const before = await names(app.url);
      expect(before).toHaveLength(CUSTOMERS + 2);
      await run('stop');
      rmSync(data, { recursive: true });

      const refused = await run('start');
      expect(refused.code).toBe(1);
      expect(refused.printed).toMatch(
        /^recovery-needed: .*npm run recover:from-replicas.*DATA_DIR from the environment\]\n$/,
      );

      const dry = await run('recover', '--dry-run');
      expect(dry).toEqual({ code: 0, printed: expect.stringMatching(/^Would restore .*nothing was written\.\n$/s) });
      const recovered = await run('recover');
      expect(recovered.printed).toMatch(
        /^Restored 42 customers up to 1\.\d+ from 127\.0\.0\.1:\d+; 4 replicas promised/,
      );
      expect(recovered.printed).toMatch(/^decided: none\nunmatched: none$/m);
      expect(recovered.code).toBe(0);

      const again = await start();
      expect(await names(again.app.url)).toEqual(before);
      await createCustomers(again.app.url, CUSTOMERS + 1, CUSTOMERS + 2);
      expect((await run('status')).printed).toContain('4 of 4 replicas in sync, writes need 2');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a lost database that had decided a transaction, names the transaction, and starts without its row only for that reason',
    async () => {
      const { app } = await start();
      const answer = await fetch(`${app.url}/books-2pc`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ title: 'Lost', author: 'Nobody', price: 1, quantity: 1 }),
      });
      const { transactionId } = (await answer.json()) as { readonly transactionId: string };
      expect(answer.status).toBe(201);
      await run('stop');
      rmSync(data, { recursive: true });

      expect((await run('recover')).printed).toMatch(
        new RegExp(`^decided: ${transactionId}\n.*You need not decide anything\\.\nunmatched: none$`, 'm'),
      );
      for (let starts = 0; starts < 2; starts += 1) {
        const again = await start();
        const customer = await fetch(`${again.app.url}/customers/1`);
        expect(await customer.json()).toMatchObject({ orders_count: 1 });
        await run('stop');
      }
      rmSync(join(data, 'documents/unmatched.json'));
      expect((await run('start')).printed).toMatch(new RegExp(`^recovery-needed: .*${transactionId}`));
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a running system, refuses a recovery; given an unknown option, prints the usage; stopped, reports no status',
    async () => {
      await start();
      expect(await run('recover')).toEqual({
        code: 1,
        printed: expect.stringMatching(
          /^data-directory-locked: Bifolio is running on .*: stop it with "npm stop" \[.*DATA_DIR from the environment\]\n$/,
        ),
      });
      expect(await run('recover', '--force')).toEqual({
        code: 2,
        printed: expect.stringMatching(/^Unknown option '--force'/),
      });
      await run('stop');
      expect(await run('status')).toEqual({ code: 1, printed: 'Bifolio is not running. Start it with "npm start".\n' });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given one replica with damaged data, runs on the other three and reports which one and why',
    async () => {
      await start();
      await run('stop');
      const documents = join(root, 'replicas', settings['REPLICA_PORTS']!.split(',')[1]!, 'documents');
      for (const name of readdirSync(documents)) writeFileSync(join(documents, name), 'no journal and no snapshot\n');

      const again = await start();

      expect(again.printed).toMatch(/Replica 2\s+│ NOT RUNNING: data-corrupt: /);
      const answer = await fetch(`${again.app.url}/customers/1`, { method: 'DELETE' });
      expect([answer.status, answer.headers.get('x-replicas-acked')]).toEqual([204, '3/4']);
    },
    TEST_TIMEOUT_MS,
  );
});
