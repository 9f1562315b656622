import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { Cluster } from '../support/cluster.js';
import { LOCK_DOUBLE, resume, suspend } from '../support/second-app.js';
import { SeededRandom } from '../support/seeded-random.js';

const TEST_TIMEOUT_MS = 180_000;
const SUPERSEDED = 70;
const BOOK = { title: 'Title', author: 'Author', price: 10, quantity: 1 };
const ENVIRONMENT = { LOG_LEVEL: 'warn', SNAPSHOT_EVERY_BYTES: '20000' };
const ROUNDS = Number(process.env['ROUNDS'] ?? 2);
const CLIENTS = 8;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Undefined: the connection ended without an answer. */
async function ask(
  url: string,
  path: string,
  body?: unknown,
  method = body ? 'POST' : 'GET',
): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { connection: 'close', ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.text() };
  } catch {
    return undefined;
  }
}

async function done(url: string, path: string, body?: unknown, method?: string): Promise<Record<string, unknown>> {
  const answer = await ask(url, path, body, method);
  if (!answer || answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return JSON.parse(answer.body) as Record<string, unknown>;
}

const namesOn = async (url: string): Promise<string[]> => {
  const rows = (await done(url, '/customers?limit=1000')) as unknown as { name: string }[];
  return rows.map(({ name }) => name).sort();
};
const customer = (name: string): object => ({ name, email: 'ada@example.org' });

describe('an active app that was stopped and continues after another one has taken over, although the lock said yes', () => {
  let directory: string;
  let old: AppProcess;
  let next: AppProcess | undefined;

  beforeEach(async () => {
    directory = temporaryDirectory();
    old = await AppProcess.start(directory, ENVIRONMENT);
  });

  afterEach(async () => {
    resume(old);
    await Promise.all([old.kill(), next?.kill()]);
    next = undefined;
    removeDirectory(directory);
  });

  const takeOver = async (): Promise<AppProcess> => {
    suspend(old);
    // `start` removes the run file of the old one, and waits for that of the new one.
    next = await AppProcess.start(directory, { ...ENVIRONMENT, ...LOCK_DOUBLE });
    return next;
  };

  /** Names and bytes of what the second app has made, and of what both use. */
  const filesOfNext = (): Record<string, string> => {
    const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /-000002\.|^app\.json|^documents\.end|^bookstore\.db$|^cluster-secret/.test(path),
    );
    return Object.fromEntries(
      paths.map((path) => {
        const { ino, size } = statSync(join(directory, path));
        const isText = !path.endsWith('.db');
        return [path, `${String(ino)} ${isText ? readFileSync(join(directory, path), 'latin1') : String(size)}`];
      }),
    );
  };

  it(
    'answers no request with 2xx, neither those that waited nor later ones, writes nothing, and ends',
    async () => {
      await done(old.url, '/books', BOOK);
      await done(old.url, '/customers', customer('of the old one'));
      await done(old.url, '/customers/1', customer('second name'), 'PUT');
      // The old one has all of it in its memory and in its cache.
      for (const path of ['/books?limit=10', '/books/1', '/customers/1', '/customers']) await done(old.url, path);
      const oldUrl = old.url;
      const { url } = await takeOver();
      await done(url, '/books/1', { ...BOOK, title: 'New title' }, 'PUT');
      await done(url, '/customers/1', customer('third name'), 'PUT');
      await done(url, '/customers', customer('of the new one'));
      const shown = await Promise.all(['/books', '/customers'].map((path) => ask(url, path)));
      const requests: [path: string, body?: object | undefined, method?: string][] = [
        ...['/books/1', '/books?limit=10', '/books', '/customers/1', '/customers', '/', '/health/ready'].map(
          (path): [string] => [path],
        ),
        ['/books', BOOK],
        ['/books/1', { ...BOOK, title: 'Late title' }, 'PUT'],
        ['/customers', customer('late')],
        ['/customers/1', customer('late name'), 'PUT'],
        ['/customers/1', undefined, 'DELETE'],
        ['/books-2pc', BOOK],
      ];
      const waiting = requests.map(([path, body, method]) => ask(oldUrl, path, body, method));
      const before = filesOfNext();

      resume(old);
      const answers = await Promise.all(waiting);
      const { code } = await old.exited;

      expect(answers.filter((answer) => answer !== undefined && answer.status < 400)).toEqual([]);
      expect(code).toBe(SUPERSEDED);
      expect(old.printed).toMatch(/another process has taken over/);
      expect(filesOfNext()).toEqual(before);
      expect(await Promise.all(['/books', '/customers'].map((path) => ask(url, path)))).toEqual(shown);
      await next?.kill();
      next = await AppProcess.start(directory, ENVIRONMENT);
      const again = next.url;
      expect(await Promise.all(['/books', '/customers'].map((path) => ask(again, path)))).toEqual(shown);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'without any request, ends by itself',
    async () => {
      await takeOver();
      resume(old);

      expect(await old.exited).toEqual({ code: SUPERSEDED, signal: null });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'stopped at any moment under a load of writes, has acknowledged nothing that its successor lacks, in no round',
    async () => {
      const random = new SeededRandom(Number(process.env['SEED'] ?? 11));
      const acknowledged: string[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const { url } = old;
        let isOver = false;
        const write = async (client: number): Promise<void> => {
          for (let n = 1; !isOver; n += 1) {
            const name = `round ${String(round)}, client ${String(client)}, write ${String(n)}`;
            const answer = await ask(url, '/customers', customer(name));
            if (answer === undefined) return;
            if (answer.status < 300) acknowledged.push(name);
          }
        };
        const writing = Promise.all(Array.from({ length: CLIENTS }, (_, client) => write(client)));
        const enough = acknowledged.length + 20 + random.below(200);
        while (acknowledged.length < enough) await new Promise(setImmediate);
        const successor = await takeOver();
        await done(successor.url, '/customers', customer(`round ${String(round)}, of the successor`));
        resume(old);
        await old.exited;
        isOver = true;
        await writing;

        const names = await namesOn(successor.url);
        expect([round, acknowledged.filter((name) => !names.includes(name))]).toEqual([round, []]);
        expect([round, new Set(names).size]).toEqual([round, names.length]);
        await successor.kill();
        old = await AppProcess.start(directory, ENVIRONMENT);
        next = undefined;
        expect([round, await namesOn(old.url)]).toEqual([round, names]);
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describe('an active app with replicas that was stopped and continues after another one has taken over', () => {
  let cluster: Cluster;

  afterEach(() => cluster.end());

  it(
    'finds no replica that takes its records, whatever write concern its clients ask for',
    async () => {
      cluster = await Cluster.start({ SNAPSHOT_EVERY_BYTES: '20000' });
      const old = cluster.app;
      const oldUrl = old.url;
      await done(oldUrl, '/customers', customer('of the old one'));
      suspend(old);
      try {
        await cluster.startApp(LOCK_DOUBLE);
        await cluster.settled();
        await done(cluster.app.url, '/customers', customer('of the new one'));
        const late = ['all', 'majority', 'primary'].map((concern) =>
          fetch(`${oldUrl}/customers`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'x-write-concern': concern },
            body: JSON.stringify(customer('late')),
          })
            .then(({ status }) => status)
            .catch(() => 'no answer'),
        );
        resume(old);

        expect((await Promise.all(late)).filter((status) => Number(status) < 400)).toEqual([]);
        expect((await old.exited).code).toBe(SUPERSEDED);
      } finally {
        await old.kill();
      }
      await cluster.settled();
      expect(await cluster.differences()).toEqual([]);
      expect(await namesOn(cluster.app.url)).toEqual(['of the new one', 'of the old one']);
    },
    TEST_TIMEOUT_MS,
  );
});
