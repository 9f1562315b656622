import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';

const TEST_TIMEOUT_MS = 120_000;
const USERS = 300;
const SETTLE = { withinMs: 60_000 };

describe('users on the app with four replicas', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start();
  }, TEST_TIMEOUT_MS);

  afterAll(async () => {
    await cluster.end();
  });

  const post = async (path: string, lastname: string): Promise<Response> => {
    const headers = { 'content-type': 'application/json', 'x-write-concern': 'all' };
    const body = JSON.stringify({ firstname: 'Ada', lastname });
    return fetch(cluster.app.url + path, { method: 'POST', headers, body });
  };
  const agree = (): Promise<void> =>
    eventually(async () => {
      expect(await cluster.differences()).toEqual([]);
    }, SETTLE);

  it(
    'given writes among the documents and in both stores, are on all replicas, which have the same state',
    async () => {
      const answers = await Promise.all(
        Array.from({ length: USERS }, (_, n) =>
          post(n % 2 === 0 ? `/nosql/users/u-${String(n)}` : '/sql_mongo/users', String(n)),
        ),
      );
      const told = answers.map(({ status, headers }) => `${String(status)} ${headers.get('x-replicas-acked') ?? ''}`);
      expect(new Set(told)).toEqual(new Set(['201 4/4']));
      await agree();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica that has lost everything, are there again through a snapshot, and new ones follow',
    async () => {
      const [lost] = cluster.replicas;
      await lost?.kill();
      rmSync(join(cluster.replicasDirectory, String(lost?.port)), { recursive: true });
      await lost?.start();
      await cluster.settled();
      expect((await post('/nosql/users/__proto__', 'Lovelace')).status).toBe(201);
      await agree();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given kill -9 of the app and a restart, keep their ids',
    async () => {
      const before = (await (await post('/sql_mongo/users', 'before')).json()) as { id: number };
      await cluster.app.kill();
      await cluster.startApp();
      await cluster.settled();
      expect((await post(`/nosql/users/${String(before.id)}`, 'another')).status).toBe(409);
      const after = (await (await post('/sql_mongo/users', 'after')).json()) as { id: number };
      expect(after.id).toBe(before.id + 1);
      await agree();
    },
    TEST_TIMEOUT_MS,
  );
});

describe('an app that keeps three Idempotency-Keys of a caller, behind four replicas', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ IDEMPOTENCY_KEYS: '3' });
  }, TEST_TIMEOUT_MS);

  afterAll(async () => {
    await cluster.end();
  });

  it(
    'accepts any number of writes without a key through a replica, and counts the keys of clients there as its own',
    async () => {
      const write = async (key?: string): Promise<number> => {
        const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) };
        const body = JSON.stringify({ name: 'Ada Lovelace', email: 'ada@example.org' });
        return (await fetch(`${cluster.replicas[0]!.url}/customers`, { method: 'POST', headers, body })).status;
      };
      for (let n = 0; n < 10; n += 1) expect(await write()).toBe(201);
      expect([await write('a'), await write('b'), await write('c'), await write('d')]).toEqual([201, 201, 201, 429]);
      expect([await write('a'), await write()]).toEqual([201, 201]);
      await cluster.app.kill();
      await cluster.startApp();
      await cluster.settled();
      expect([await write('d'), await write('c'), await write()]).toEqual([429, 201, 201]);
      await eventually(async () => {
        expect(await cluster.differences()).toEqual([]);
      }, SETTLE);
    },
    TEST_TIMEOUT_MS,
  );
});
