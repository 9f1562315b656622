import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Asking, Client } from './support/client.js';
import { sendBytes } from './support/raw-socket.js';
import { useSharedReplica } from './support/shared-replica.js';
import { StandInApp } from './support/stand-in-app.js';

const KEY = 'k'.repeat(16);
const open = useSharedReplica();
const guarded = useSharedReplica({ API_KEYS: `ann:read:${KEY}`, RATE_LIMIT: '20' });

/** What clients of nodes read, and what the rest of the system says: the same. */
async function expectMessage(
  client: Client,
  status: number,
  method: string,
  path: string,
  asking?: Asking,
): Promise<void> {
  const problem = (await client.send(method, path, asking)).problem(status);
  expect([method, path, problem]).toEqual([method, path, expect.objectContaining({ message: problem.detail })]);
}

describe('a refusal of a node', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const foreign = { headers: { origin: 'https://example.org' } };

  it.each<readonly [number, string, string, Asking?]>([
    [404, 'GET', '/no/such/path'],
    [405, 'POST', '/'],
    [405, 'PATCH', '/v1/group'],
    [404, 'GET', '/replication'],
    [404, 'GET', '/v1/group/none'],
    [404, 'GET', '/customers/999'],
    [400, 'GET', '/v1/group/LONG'],
    [400, 'GET', '/v1/group/%zz'],
    [400, 'GET', '/customers/abc'],
    [400, 'GET', '/customers?limit=x'],
    [400, 'POST', '/v1/group', { body: '{', headers: JSON_TYPE }],
    [400, 'POST', '/customers', { body: '{', headers: JSON_TYPE }],
    [403, 'POST', '/v1/group', foreign],
    [403, 'POST', '/customers', foreign],
    [403, 'DELETE', '/nothing', foreign],
    [413, 'POST', '/v1/group'],
    [413, 'POST', '/customers'],
    [415, 'POST', '/v1/group', { body: 'x', headers: { 'content-type': 'text/plain' } }],
    [415, 'DELETE', '/v1/groups', { body: 'x' }],
    [503, 'GET', '/health/ready'],
    [503, 'POST', '/customers', { json: {} }],
    [503, 'GET', '/operations/x'],
    [503, 'GET', '/customers?min_seq=9.9'],
  ])('given %i on %s %s, repeats its detail as message', async (...row) => {
    // Named one by one, a row's missing last part would be taken for the callback of a test.
    const [status, method, path, asking] = row;
    const large = { json: 'x'.repeat(1024 * 1024) };
    const whole = path.replace('LONG', 'x'.repeat(1_025));
    await expectMessage(open.client, status, method, whole, status === 413 ? large : asking);
  });

  it.each([
    ['that is no HTTP', 'hello\r\n\r\n'],
    ['without Host', 'GET /v1/groups HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['with headers too large', 'GET / HTTP/1.1\r\nHost: localhost\r\nX: LARGE\r\n\r\n'],
  ])('given a request %s, repeats its detail as message', async (_what, bytes) => {
    const [, body = ''] = (await sendBytes(open.process.url, bytes.replace('LARGE', 'x'.repeat(20_000)))).split(
      '\r\n\r\n',
    );
    const problem = JSON.parse(body) as { detail: string };
    expect(problem).toMatchObject({ status: 400, message: problem.detail });
  });

  it('given no key, or too many requests, repeats its detail as message', async () => {
    const reader = guarded.client.with({ 'x-api-key': KEY });
    for (const path of ['/', '/v1/groups', '/customers', '/nothing'])
      await expectMessage(guarded.client, 401, 'GET', path);
    await expectMessage(reader, 403, 'POST', '/v1/group');
    await expectMessage(reader, 403, 'POST', '/nothing');
    for (let n = 0; n < 20; n += 1) await reader.get('/v1/groups');
    for (const path of ['/v1/groups', '/customers', '/nothing']) await expectMessage(reader, 429, 'GET', path);
  });
});

describe('a refusal of the app that a node forwards', () => {
  const replica = useSharedReplica();
  const PROBLEM = { 'content-type': 'application/problem+json; charset=utf-8' };
  const refusal = {
    ...{ type: 'urn:bifolio:problem:not-found', title: 'Not found', status: 404, detail: 'there is none' },
    ...{ instance: '/customers/1', code: 'not-found' },
  };
  let app: StandInApp;

  beforeAll(async () => {
    app = await StandInApp.start();
    replica.primary.url = app.url;
    await replica.primary.ship();
  });
  afterAll(async () => {
    await app.stop();
  });

  it.each([
    ['PUT', '/customers/1'],
    ['GET', '/operations/1'],
  ])('given %s %s, repeats its detail as message and is otherwise unchanged', async (method, path) => {
    app.answer = (_request, response) => response.writeHead(404, PROBLEM).end(JSON.stringify(refusal));
    const answer = await replica.client.send(method, path);
    expect([answer.status, answer.json()]).toEqual([404, { ...refusal, message: 'there is none' }]);
  });

  it('given a body that is not a whole problem, is forwarded unchanged', async () => {
    for (const body of ['', '{"detail": ', '[]', 'null']) {
      app.answer = (_request, response) => response.writeHead(404, PROBLEM).end(body);
      const answer = await fetch(`${replica.process.url}/operations/1`);
      expect([answer.status, await answer.text()]).toEqual([404, body]);
    }
  });
});
