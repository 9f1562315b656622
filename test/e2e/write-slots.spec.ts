import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { eventually } from '../support/eventually.js';
import { type Client, newKey } from './support/client.js';
import { sendBytesAndHangUp } from './support/raw-socket.js';
import { BOOK, CUSTOMER } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const KEY = 'k'.repeat(16);
const app = useSharedApp();
const guarded = useSharedApp({ API_KEYS: `ann:read:${KEY}`, RATE_LIMIT: '1000' });
const replica = useSharedReplica();

async function expectNoneUnderWay(client: Client): Promise<void> {
  await eventually(async () => {
    expect((await client.get('/metrics')).text).toMatch(/^http_writes_under_way 0$/m);
  });
}

const head = (method: string, path: string, more: string): string =>
  `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${more}`;
const book = JSON.stringify(BOOK.input);

describe('the admission slot of a write', () => {
  it.each<readonly [number, string, string, object?]>([
    [201, 'POST', '/books', { json: BOOK.input }],
    [400, 'POST', '/books', { json: {} }],
    [400, 'POST', '/books', { body: '{', headers: { 'content-type': 'application/json' } }],
    [400, 'POST', '/customers', { json: CUSTOMER.input, headers: { 'x-write-concern': 'none' } }],
    [400, 'POST', '/customers', { json: CUSTOMER.input, headers: { 'idempotency-key': 'ä' } }],
    [400, 'DELETE', '/books/x'],
    [400, 'DELETE', `/books/${'1'.repeat(2_000)}`],
    [400, 'DELETE', '/books/%zz'],
    [403, 'POST', '/books', { json: BOOK.input, headers: { origin: 'https://example.org' } }],
    [404, 'DELETE', '/books//'],
    [404, 'DELETE', '/nothing'],
    [404, 'DELETE', '/books/999999'],
    [404, 'PUT', '/nosql/users/nobody', { json: { firstname: 'A', lastname: 'B' } }],
    [405, 'DELETE', '/books'],
    [404, 'DELETE', '/customers/999999', { headers: { 'if-match': '"x"' } }],
    [413, 'POST', '/books', { json: 'x'.repeat(1024 * 1024) }],
    [415, 'POST', '/books', { body: 'x', headers: { 'content-type': 'text/plain' } }],
  ])('given the answer %i to %s %s, is free again', async (status, method, path, asking = {}) => {
    const answer = await app.client.send(method, path, asking);
    expect(answer.status).toBe(status);
    await expectNoneUnderWay(app.client);
  });

  it('given a repeated key with the same body and with another, is free again', async () => {
    const headers = { 'idempotency-key': newKey() };
    const answers = [
      await app.client.post('/books', BOOK.input, headers),
      await app.client.post('/books', BOOK.input, headers),
      await app.client.post('/books', BOOK.changed, headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 422]);
    await expectNoneUnderWay(app.client);
  });

  it('given a caller without a key, with a wrong key or without the role, is free again', async () => {
    for (const headers of [{}, { 'x-api-key': 'wrong' }, { 'x-api-key': KEY }] as Record<string, string>[]) {
      const { status } = await guarded.client.post('/books', BOOK.input, headers);
      expect([401, 403]).toContain(status);
    }
    await expectNoneUnderWay(guarded.client.with({ 'x-api-key': KEY }));
  });

  it.each([
    ['before its body', 'content-length: 20\r\n\r\n'],
    ['within its body', 'content-length: 20\r\n\r\n{"title":'],
    ['within a chunk', 'transfer-encoding: chunked\r\n\r\n5\r\n{'],
    ['after its body', `content-length: ${String(book.length)}\r\n\r\n${book}`],
  ])('given a client that hangs up %s, is free again, on the app and on a replica', async (_title, rest) => {
    await sendBytesAndHangUp(app.process.url, head('POST', '/books', rest));
    await sendBytesAndHangUp(replica.process.url, head('POST', '/customers', rest));
    await expectNoneUnderWay(app.client);
    await expectNoneUnderWay(replica.client);
  });

  it('given any number of clients that send half a body and wait, stays available to other writes', async () => {
    const sockets = Array.from({ length: 100 }, () => {
      const { hostname, port } = new URL(app.process.url);
      const socket = connect(Number(port), hostname);
      socket.write(head('POST', '/books', 'content-length: 20\r\n\r\n{"ti'));
      return socket;
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await app.client.add(BOOK.path, BOOK.input);
    await expectNoneUnderWay(app.client);
    sockets.forEach((socket) => socket.destroy());
  });

  it.each<readonly [number, string, string, object?]>([
    [503, 'POST', '/customers', { json: CUSTOMER.input }],
    [404, 'DELETE', '/v1/group//'],
    [405, 'DELETE', '/v1/group/1'],
    [400, 'POST', '/v1/group', { json: {} }],
    [404, 'DELETE', '/v1/group', { json: { groupId: 'none' } }],
    [201, 'POST', '/v1/group', { json: { groupId: 'some' } }],
    [400, 'POST', '/v1/group', { json: { groupId: 'some' } }],
    [413, 'POST', '/v1/group', { json: 'x'.repeat(1024 * 1024) }],
  ])('given the answer %i of a replica to %s %s, is free again', async (status, method, path, asking = {}) => {
    expect((await replica.client.send(method, path, asking)).status).toBe(status);
    await expectNoneUnderWay(replica.client);
  });
});
