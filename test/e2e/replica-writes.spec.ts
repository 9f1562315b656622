import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newKey } from './support/client.js';
import { CUSTOMER } from './support/resources.js';
import { useSharedReplica } from './support/shared-replica.js';
import { StandInApp } from './support/stand-in-app.js';

const replica = useSharedReplica({ PREPARE_DEADLINE_MS: '550', WRITE_DEADLINE_MS: '600' });
const alone = useSharedReplica();
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

let app: StandInApp;

beforeAll(async () => {
  app = await StandInApp.start();
  replica.primary.url = app.url;
  await replica.primary.ship();
});

afterAll(async () => {
  await app.stop();
});

beforeEach(() => {
  app.received.length = 0;
});

/** The app writes the customer and ships the record, or only says that it wrote it. */
function answerCreated(isShipped: boolean): void {
  app.answer = (_request, response) => {
    const { primary } = replica;
    const { seq } = primary.put(primary.records.length, 'Ada');
    const headers = {
      ...JSON_TYPE,
      ...{ location: '/customers/1', etag: '"x"', 'x-commit': primary.commit, 'x-replicas-acked': '4/4' },
      'x-operation-id': 'operation-1',
    };
    const answered = (): void => {
      response.writeHead(201, headers).end('{"id":1}');
    };
    if (isShipped) void primary.ship(seq - 1).then(answered);
    else answered();
  };
}

describe('a write sent to a replica', () => {
  it('is forwarded with its relevant headers, and answered like the primary once the replica holds it', async () => {
    answerCreated(true);
    const key = newKey();
    const given = {
      ...{
        'idempotency-key': key,
        'if-match': '"a"',
        'if-none-match': '"b"',
        'x-write-concern': 'majority',
        'x-request-id': 'request-1',
      },
      'x-api-key': 'my-key',
    };
    const written = await replica.client.post('/customers', CUSTOMER.input, given);
    expect([written.status, written.text]).toEqual([201, '{"id":1}']);
    for (const [name, value] of [
      ['location', '/customers/1'],
      ['etag', '"x"'],
      ['x-replicas-acked', '4/4'],
      ['x-operation-id', 'operation-1'],
      ['x-request-id', 'request-1'],
    ] as const) {
      expect([name, written.header(name)]).toEqual([name, value]);
    }
    expect(app.received).toEqual([
      expect.objectContaining({
        method: 'POST',
        url: '/customers',
        headers: expect.objectContaining(given),
        body: JSON.stringify(CUSTOMER.input),
      }),
    ]);
    const read = await replica.client.get(`/customers?limit=1000&min_seq=${written.header('x-commit')}`);
    expect(read.status).toBe(200);
  });

  it.each([
    ['PUT', '/customers/7', CUSTOMER.changed],
    ['DELETE', '/customers/7', undefined],
  ])('given %s %s, is forwarded', async (method, path, json) => {
    app.answer = (_request, response) => response.writeHead(204).end();
    expect((await replica.client.send(method, path, { json })).status).toBe(204);
    expect(app.received).toEqual([expect.objectContaining({ method, url: path })]);
  });

  it('given no Idempotency-Key, gets a new key of its own', async () => {
    app.answer = (_request, response) => response.writeHead(204).end();
    for (const id of [1, 2]) await replica.client.delete(`/customers/${String(id)}`);
    const keys = app.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.stringMatching(/.{16}/), expect.stringMatching(/.{16}/)]);
    expect(new Set(keys).size).toBe(2);
  });

  it('given a record that does not arrive here in time, is answered 202 with the path of the operation', async () => {
    answerCreated(false);
    const written = await replica.client.post('/customers', CUSTOMER.input);
    expect([written.status, written.json()]).toEqual([202, { operationId: 'operation-1', state: 'committed' }]);
    expect(written.header('location')).toBe('/operations/operation-1');
    expect(written.hasHeader('etag')).toBe(false);
  });

  it.each([400, 404, 409, 412, 422, 429, 503])(
    'given a refusal of the primary with %d, is refused alike',
    async (status) => {
      const problem = {
        type: 'urn:bifolio:problem:x-y',
        title: 'No',
        status,
        detail: 'no',
        instance: '/x',
        code: 'x-y',
      };
      app.answer = (_request, response) => {
        response.writeHead(status, { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': '3' });
        response.end(JSON.stringify(problem));
      };
      const refused = await replica.client.post('/customers', {});
      expect(refused.problem(status)).toEqual({ ...problem, message: 'no' });
      expect(refused.header('retry-after')).toBe('3');
    },
  );

  it.each([
    ['hangs up', (): void => undefined, true],
    ['does not answer', (): void => undefined, false],
  ])('given a primary that %s, is answered 504 with the key to ask with', async (_title, _do, hangsUp) => {
    app.answer = (_request, response) => {
      if (hangsUp) response.destroy();
    };
    const unknown = await replica.client.post('/customers', CUSTOMER.input);
    const sent = String(app.received.at(-1)?.headers['idempotency-key']);
    expect(unknown.problem(504)).toMatchObject({ code: 'outcome-unknown', detail: expect.stringContaining(sent) });
    expect(unknown.header('idempotency-key')).toBe(sent);
  });

  it('given a kept-alive connection that the primary had closed, is sent once more with the same key', async () => {
    app.answer = (_request, response) => response.writeHead(204).end();
    await replica.client.delete('/customers/1');
    let isFirst = true;
    app.received.length = 0;
    app.answer = (_request, response) => {
      if (isFirst) response.destroy();
      else response.writeHead(204).end();
      isFirst = false;
    };
    expect((await replica.client.delete('/customers/2')).status).toBe(204);
    const [first, second] = app.received.map(({ headers }) => headers['idempotency-key']);
    expect([app.received.length, second]).toEqual([2, first]);
  });

  it.each([
    ['no JSON', { body: '{' }, 400],
    ['text', { body: 'hello', headers: { 'content-type': 'text/plain' } }, 415],
    ['more than 1 MiB', { body: ' '.repeat(1_100_000), headers: { 'content-type': 'application/json' } }, 413],
    ['a forbidden key', { body: '{"__proto__": 1}' }, 400],
  ] as const)('given %s, is refused by the replica itself', async (_title, asking, status) => {
    const headers = { 'content-type': 'application/json' };
    (await replica.client.send('POST', '/customers', { headers, ...asking })).problem(status);
    expect(app.received).toEqual([]);
  });

  it('given no body, is forwarded whatever its Content-Type', async () => {
    app.answer = (_request, response) => response.writeHead(204).end();
    const headers = { 'content-type': 'application/octet-stream' };
    expect((await replica.client.send('POST', '/customers', { headers })).status).toBe(204);
  });
});

describe('an operation read from a replica', () => {
  it('is read from the primary', async () => {
    app.answer = (_request, response) => response.writeHead(200, JSON_TYPE).end('{"operationId":"a"}');
    expect((await replica.client.get('/operations/a')).json()).toEqual({ operationId: 'a' });
    expect(app.received).toEqual([expect.objectContaining({ method: 'GET', url: '/operations/a' })]);
  });

  it('given a primary that hangs up, is answered 503', async () => {
    app.answer = (_request, response) => response.destroy();
    expect((await replica.client.get('/operations/a')).problem(503).code).toBe('not-ready');
  });
});

describe('a replica that no primary has contacted', () => {
  it('is not ready and reports the primary as the cause', async () => {
    expect((await alone.client.get('/health/ready')).problem(503, 'primary').detail).toMatch(/waiting for the app/);
  });

  it('refuses writes with 503, because it never sent them', async () => {
    for (const refused of [
      await alone.client.post('/customers', CUSTOMER.input),
      await alone.client.put('/customers/1', CUSTOMER.input),
      await alone.client.delete('/customers/1'),
      await alone.client.get('/operations/a'),
    ]) {
      expect(refused.problem(503).code).toBe('not-ready');
    }
  });

  it('given a primary that has gone, refuses writes with 503 too', async () => {
    alone.primary.url = 'http://127.0.0.1:1';
    await alone.primary.ship();
    expect((await alone.client.post('/customers', CUSTOMER.input)).problem(503).detail).toMatch(/nothing was done/);
  });
});
