import { describe, expect, it } from '@jest/globals';
import { newKey, type Problem } from './support/client.js';
import { sendBytes } from './support/raw-socket.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const KEY = 'a-key-of-sixteen-characters';
const app = useSharedApp();
const guarded = useSharedApp({ API_KEYS: `first:write:${KEY}` });
const replica = useSharedReplica();
const BODY = '{"name":"Ada Lovelace","email":"ada@example.org"}';

/** The status and problem of a request that carries these header lines. */
async function sent(baseUrl: string, method: string, path: string, lines: readonly string[]): Promise<Problem> {
  const body = method === 'GET' ? '' : BODY;
  const length = `Content-Length: ${String(body.length)}`;
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...lines];
  const bytes = [...head, 'Content-Type: application/json', length, '', body].join('\r\n');
  const answer = await sendBytes(baseUrl, bytes);
  return JSON.parse(answer.slice(answer.indexOf('{'))) as Problem;
}

const twice = (name: string, value: string): string[] => [`${name}: ${value}`, `${name.toLowerCase()}: ${value}`];
const refused = (name: string): object => ({ status: 400, errors: [expect.objectContaining({ field: name })] });

describe('a header that must appear once, sent in two lines', () => {
  it.each([
    ['Idempotency-Key', 'k'],
    ['X-Write-Concern', 'all'],
    ['X-Request-Id', 'r'],
    ['Authorization', 'Bearer x'],
  ])('(%s) is refused by the app, by a replica and by a node, and nothing is written', async (name, value) => {
    const lines = twice(name, value);
    const asked = [
      [app.process.url, '/customers'],
      [replica.process.url, '/customers'],
      [replica.process.url, '/v1/group'],
      [app.process.url, '/nowhere'],
    ] as const;
    for (const [url, path] of asked) expect(await sent(url, 'POST', path, lines)).toMatchObject(refused(name));
    expect((await app.client.get('/customers')).header('x-total-count')).toBe('0');
  });

  it.each(['X-Operation-Id', 'X-Undo', 'X-Group-Version', 'X-Group-Version-After'])(
    '(%s) is refused by a node',
    async (name) => {
      expect(await sent(replica.process.url, 'POST', '/v1/group', twice(name, '7'))).toMatchObject(refused(name));
    },
  );

  it('(X-Api-Key) is refused for reads and writes, even when both lines hold the right key', async () => {
    for (const method of ['GET', 'POST']) {
      expect(await sent(guarded.process.url, method, '/customers', twice('X-Api-Key', KEY))).toMatchObject(
        refused('X-Api-Key'),
      );
    }
  });

  it('(Idempotency-Key) is refused, and neither key counts as used', async () => {
    const [one, other] = [newKey(), newKey()];
    await sent(app.process.url, 'POST', '/customers', [`Idempotency-Key: ${one}`, `Idempotency-Key: ${other}`]);
    for (const key of [one, other, `${one}, ${other}`]) {
      const answer = await app.client.post('/customers', JSON.parse(BODY), { 'idempotency-key': key });
      expect([answer.status, answer.header('idempotency-replayed')]).toEqual([201, '']);
    }
  });
});
