import { describe, expect, it } from '@jest/globals';
import { type Client, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const app = useSharedApp();
const replica = useSharedReplica();

const clients: Readonly<Record<string, () => Client>> = {
  app: () => app.client,
  replica: () => replica.client,
};

type Row = readonly [process: string, method: string, path: string, allow?: string];

const EMPTY_SEGMENTS: readonly Row[] = [
  ...['/books//', '/customers//', '/sql/users//', '/nosql/users//', '/transactions//', '/operations//', '//books'],
  ...['/transactions//resolve', '/books//1', '/books///', '/customers//?x=1', '/sql_mongo//users'],
]
  .map((path): Row => ['app', 'GET', path])
  .concat(
    ...['/customers//', '/v1/group//', '/v1//group', '//v1/groups', '/operations//', '/replication//append'].map(
      (path): Row[] => [['replica', 'GET', path]],
    ),
  )
  .flatMap(([name, , path]) => ['GET', 'POST', 'PUT', 'DELETE'].map((method): Row => [name, method, path]));

describe('a path with an empty segment', () => {
  it.each(EMPTY_SEGMENTS)(
    'on the %s, given %s %s, is answered 404 at once, also when repeated with one key',
    async (...row) => {
      const [name, method, path] = row;
      const headers = { 'idempotency-key': newKey() };
      const json = method === 'POST' || method === 'PUT' ? {} : undefined;
      for (let time = 1; time <= 2; time += 1) {
        const refused = await clients[name]!().send(method, path, { headers, json });
        expect(refused.problem(404).code).toBe('route-not-found');
      }
    },
  );
});

describe('a known path with an unsupported method', () => {
  it.each<Row>([
    ['app', 'DELETE', '/books', 'GET, HEAD, POST'],
    ['app', 'DELETE', '/books/', 'GET, HEAD, POST'],
    ['app', 'POST', '/books/1', 'DELETE, GET, HEAD, PUT'],
    ['app', 'POST', '/books/abc/', 'DELETE, GET, HEAD, PUT'],
    ['app', 'POST', '/%62ooks/1?x=1', 'DELETE, GET, HEAD, PUT'],
    ['app', 'PATCH', '/customers/1', 'DELETE, GET, HEAD, PUT'],
    ['app', 'DELETE', '/nosql/users/ada', 'GET, HEAD, POST, PUT'],
    ['app', 'GET', '/sql/users', 'POST'],
    ['app', 'HEAD', '/books-2pc', 'POST'],
    ['app', 'GET', '/transactions/1/resolve', 'POST'],
    ['app', 'DELETE', '/transactions/recover', 'GET, HEAD, POST'],
    ['app', 'POST', '/operations/1', 'GET, HEAD'],
    ['app', 'POST', '/health/live', 'GET, HEAD'],
    ['app', 'POST', '/', 'GET, HEAD'],
    ['app', 'OPTIONS', '/metrics', 'GET, HEAD'],
    ['replica', 'DELETE', '/customers/', 'GET, HEAD, POST'],
    ['replica', 'POST', '/customers/1', 'DELETE, GET, HEAD, PUT'],
    ['replica', 'PUT', '/v1/group', 'DELETE, POST'],
    ['replica', 'GET', '/v1/group/', 'DELETE, POST'],
    ['replica', 'DELETE', '/v1/group/1', 'GET, HEAD'],
    ['replica', 'POST', '/v1/groups', 'DELETE, GET, HEAD'],
    ['replica', 'POST', '/operations/1', 'GET, HEAD'],
    ['replica', 'DELETE', '/metrics', 'GET, HEAD'],
  ])('on the %s, given %s %s, is answered 405 with Allow: %s', async (name, method, path, allow) => {
    const refused = await clients[name]!().send(method, path, { headers: { 'idempotency-key': newKey() } });
    expect([refused.status, refused.header('allow')]).toEqual([405, allow]);
    if (method !== 'HEAD') expect(refused.problem(405).code).toBe('method-not-allowed');
  });
});

describe('one trailing slash', () => {
  it.each([
    ['app', '/books/'],
    ['app', '/books/?limit=1'],
    ['app', '/customers/'],
    ['app', '/health/live/'],
    ['replica', '/customers/'],
    ['replica', '/v1/groups/'],
  ])('on the %s, given %s, is ignored', async (name, path) => {
    expect((await clients[name]!().get(path)).status).toBe(200);
  });
});

describe('a path parameter', () => {
  it.each([
    ['app', '/nosql/users', 400],
    ['app', '/operations', 404],
    ['replica', '/v1/group', 404],
  ])('on the %s, below %s, may have 1,024 characters, escaped or not', async (name, path, status) => {
    const client = clients[name]!();
    for (const character of ['x', '%61', '%2F', '%25', encodeURIComponent('ä')]) {
      const answer = await client.get(`${path}/${character.repeat(1_024)}`);
      expect([character, answer.status, answer.problem(status).code]).not.toContain('malformed-request');
    }
  });
});
