import { afterEach, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, customersOn, stateHashOf } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { forge } from './forged-history.js';

/** How slow a machine is decides nothing. */
const SLOWLY = { withinMs: 60_000 };
const TEST_TIMEOUT_MS = 180_000;
/** Long enough for a slow machine to answer in, short enough to wait for. */
const IMPATIENT = { REPLICA_TIMEOUT_MS: '4000' };

interface Posted {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly id?: number; readonly code?: string; readonly operationId?: string };
}

async function post(url: string, name: string, headers: Readonly<Record<string, string>> = {}): Promise<Posted> {
  const response = await fetch(`${url}/customers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name, email: 'a@example.org' }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Posted['body'] };
}

function namesOf(customers: ReadonlyMap<number, string>): readonly string[] {
  return [...customers.values()].map((name) => name.replace(/^a mixture: .*"name":"([^"]*)".*$/, '$1')).sort();
}

describe('customers on four replicas', () => {
  let cluster: Cluster;

  const start = async (environment?: Readonly<Record<string, string>>): Promise<void> => {
    cluster = await Cluster.start(environment);
  };

  afterEach(async () => {
    await cluster.end();
  });

  const postMany = async (count: number, prefix: string): Promise<void> => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) => post(cluster.app.url, `${prefix} ${String(index)}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  };
  const replica = (index: number) => cluster.replicas[index]!;

  it(
    'given writes 400 at a time through the app and the replicas, are 400 different ones on all five nodes',
    async () => {
      await start();
      const urls = [cluster.app.url, ...cluster.replicas.map(({ url }) => url)];
      const answers = await Promise.all(
        Array.from({ length: 400 }, (_, index) => post(urls[index % urls.length]!, `customer ${String(index)}`)),
      );

      const refused = answers.filter(({ status }) => status !== 201).map(({ body }) => body);
      expect({ refused, log: refused.length > 0 ? cluster.app.printed : '' }).toEqual({ refused: [], log: '' });
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(400);
      await cluster.settled();
      expect(await cluster.differences()).toEqual([]);
      expect((await customersOn(replica(3).url)).size).toBe(400);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a write through a replica, are readable there as soon as it answers',
    async () => {
      await start();
      const { status, headers, body } = await post(replica(2).url, 'written on a replica');
      const read = await fetch(`${replica(2).url}/customers/${String(body.id)}`);

      expect([status, read.status]).toEqual([201, 200]);
      expect(headers.get('x-replicas-acked')).toBe('4/4');
      const minSeq = await fetch(`${replica(0).url}/customers/${String(body.id)}?min_seq=${headers.get('x-commit')!}`);
      expect(minSeq.status).toBe(200);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given one replica stopped by SIGSTOP, are confirmed by the others once it has left, and it catches up after SIGCONT',
    async () => {
      await start(IMPATIENT);
      replica(1).hold();
      await postMany(1, 'while one is held');
      await cluster.settled(3);
      await postMany(50, 'meanwhile');
      replica(1).release();
      await cluster.settled();

      expect((await customersOn(replica(1).url)).size).toBe(51);
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given three lost replicas, are refused with 503 and not written, but accepted under "primary"',
    async () => {
      await start();
      await postMany(3, 'before');
      await Promise.all([0, 1, 2].map((index) => replica(index).kill()));
      await cluster.settled(1);

      const refused = await post(cluster.app.url, 'refused');
      const taken = await post(cluster.app.url, 'taken', { 'x-write-concern': 'primary' });

      expect([refused.status, refused.body.code]).toEqual([503, 'too-few-replicas']);
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(taken.status).toBe(201);
      await cluster.revive();
      await cluster.settled();
      expect(namesOf(await customersOn(replica(0).url))).toEqual(['before 0', 'before 1', 'before 2', 'taken']);
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given invalid input, are refused for that and not because of lost replicas',
    async () => {
      await start();
      await Promise.all([0, 1, 2].map((index) => replica(index).kill()));
      await cluster.settled(1);
      const user = { firstname: 'Ada', lastname: 'Lovelace' };
      const customer = { name: 'Ada', email: 'a@example.org' };
      const bad: [method: string, path: string, body: unknown, field: string][] = [
        ['POST', '/customers', { ...customer, email: 'none' }, 'email'],
        ['PUT', '/customers/1', { ...customer, name: 7 }, 'name'],
        ['PUT', '/customers/x', customer, 'id'],
        ['DELETE', '/customers/0', undefined, 'id'],
        ['POST', '/nosql/users/a', { ...user, age: 36 }, 'age'],
        ['POST', '/nosql/users/a.b', user, 'id'],
        ['PUT', '/nosql/users/a', {}, 'firstname'],
        ['PUT', '/nosql/users/a.b', user, 'id'],
        ['POST', '/books-2pc', { title: 'Dune' }, 'author'],
        ['POST', '/sql_mongo/users', { ...user, id: 0 }, 'id'],
      ];

      const answers = bad.map(async ([method, path, body, field]) => {
        const response = await fetch(cluster.app.url + path, {
          method,
          headers: { 'content-type': 'application/json' },
          body: body === undefined ? null : JSON.stringify(body),
        });
        const { errors = [] } = (await response.json()) as { errors?: { field: string }[] };
        return [method, path, response.status, errors.some((error) => error.field === field)];
      });

      expect(await Promise.all(answers)).toEqual(bad.map(([method, path]) => [method, path, 400, true]));
      expect((await post(cluster.app.url, 'good')).status).toBe(503);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica whose directory was wiped, are all there again',
    async () => {
      await start();
      await postMany(300, 'kept');
      await replica(2).kill();
      rmSync(replica(2).directory, { recursive: true, force: true });
      await postMany(50, 'later');
      await cluster.revive();
      await cluster.settled();

      expect(await cluster.differences()).toEqual([]);
      expect((await customersOn(replica(2).url)).size).toBe(350);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica whose directory is removed while it runs, are not acknowledged: it ends',
    async () => {
      await start();
      await postMany(3, 'kept');
      const ended = replica(2).exited;
      rmSync(replica(2).directory, { recursive: true, force: true });
      await ended;

      expect(replica(2).printed).toMatch(/stopping at once: .* was removed or replaced while it was in use/);
      await cluster.revive();
      await cluster.settled();
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica with a damaged record, are not served: it refuses to start, naming file and offset',
    async () => {
      await start();
      await postMany(20, 'kept');
      await replica(0).kill();
      const documents = join(replica(0).directory, 'documents');
      const segment = readdirSync(documents).find((name) => name.startsWith('journal-') && name.endsWith('.log'))!;
      const bytes = readFileSync(join(documents, segment));
      bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
      writeFileSync(join(documents, segment), bytes);

      const { code } = await replica(0).spawn();

      expect(code).toBe(1);
      expect(replica(0).printed).toMatch(new RegExp(`data-corrupt: .*${segment}.* at byte \\d+`));
      expect((await post(cluster.app.url, 'goes on')).status).toBe(201);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica with a forged history and valid checksums, are quarantined and copied again',
    async () => {
      await start();
      await postMany(20, 'kept');
      await replica(0).kill();
      forge(join(replica(0).directory, 'documents'), 'kept 7', 'evil 7');
      await replica(0).start();
      // Until it is spoken to it stands where the others do, and looks like them.
      await eventually(() => {
        expect(readdirSync(replica(0).directory)).toContainEqual(expect.stringMatching(/^quarantined-/));
      }, SLOWLY);
      await cluster.settled();

      expect(await cluster.differences()).toEqual([]);
      expect(namesOf(await customersOn(replica(0).url))).not.toContain('evil 7');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given "rm -rf data", stay on the replicas: the app refuses to start, names the way out, and writes nothing',
    async () => {
      await start();
      await postMany(30, 'precious');
      const before = await stateHashOf(replica(1).url);
      await cluster.app.kill();
      rmSync(cluster.dataDirectory, { recursive: true, force: true });

      const app = cluster.spawnApp({ SEED: 'on' });
      const { code } = await app.exited;

      expect(code).toBe(1);
      expect(app.printed).toMatch(/^recovery-needed: .*npm run recover:from-replicas/m);
      expect(await stateHashOf(replica(1).url)).toEqual(before);
      expect((await customersOn(replica(3).url)).size).toBe(30);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given too few replicas to know whether data is missing, are not served, and no book is sold',
    async () => {
      await start();
      await postMany(3, 'precious');
      await cluster.app.kill();
      await Promise.all([0, 1].map((index) => replica(index).kill()));
      await cluster.startApp();
      const { url } = cluster.app;
      const refused = await Promise.all(
        ['/customers', '/customers/1', '/books', '/operations/any'].map((path) => fetch(`${url}${path}`)),
      );
      const ready = await fetch(`${url}/health/ready`);
      const { detail } = (await ready.json()) as { detail: string };

      expect(refused.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
      expect([ready.status, detail]).toEqual([503, expect.stringMatching(/2 of 4 replicas answered and 3 are needed/)]);
      await cluster.revive();
      await cluster.settled();
      expect((await customersOn(url)).size).toBe(3);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given an app on an older copy of its data, are first fetched from the replicas',
    async () => {
      await start();
      await postMany(10, 'early');
      await cluster.app.stop();
      const copy = join(cluster.directory, 'copy');
      cpSync(cluster.dataDirectory, copy, { recursive: true });
      await cluster.startApp();
      await cluster.settled();
      await postMany(5, 'late');
      await cluster.app.kill();
      rmSync(cluster.dataDirectory, { recursive: true, force: true });
      cpSync(copy, cluster.dataDirectory, { recursive: true });

      await cluster.startApp();
      await cluster.settled();

      expect((await customersOn(cluster.app.url)).size).toBe(15);
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a second app that takes over with a copy of the data, are no longer written by the first, which ends',
    async () => {
      await start();
      await postMany(10, 'by the first');
      const copy = join(cluster.directory, 'copy');
      cpSync(cluster.dataDirectory, copy, { recursive: true });
      const first = cluster.app;
      const second = cluster.spawnApp({}, copy);
      await second.ready();

      await first.exited;

      expect(first.printed).toMatch(/promised epoch/);
      await eventually(async () => expect((await post(second.url, 'by the second')).status).toBe(201), {
        withinMs: 60_000,
      });
      expect(await cluster.differences([second, ...cluster.replicas])).toEqual([]);
      await second.kill();
      expect(existsSync(cluster.dataDirectory)).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );
});
