import { describe, expect, it } from '@jest/globals';
import type { Problem } from './support/client.js';
import { sendBytes } from './support/raw-socket.js';
import { BOOK, CUSTOMER, RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

describe('a path that no route serves', () => {
  it.each([
    ['GET', '/nope'],
    ['POST', '/nope'],
    ['DELETE', '/nope/1'],
    ['GET', '/books/1/2'],
    ['GET', '/Books'],
    ['GET', '//books'],
    ['GET', '/books/../../etc/passwd/%2e%2e'],
    ['GET', '/docs/../package.json'],
    ['GET', '/operations'],
    ['GET', '/health'],
  ])('given %s %s, answers 404 with a problem', async (method, path) => {
    const refused = await app.client.send(method, path);
    expect(refused.problem(404)).toMatchObject({ code: 'route-not-found', instance: expect.stringMatching(/^\//) });
  });
});

describe('a path that a route serves', () => {
  it.each(['/books', '/books/1', '/customers', '/customers/1', '/', '/metrics', '/docs', '/docs-json', '/health/live'])(
    'given %s with PATCH, OPTIONS or another unsupported method, answers 405 and lists the supported methods',
    async (path) => {
      for (const method of ['PATCH', 'OPTIONS', 'PROPFIND', 'SEARCH', 'LOCK']) {
        const refused = await app.client.send(method, path);
        expect(refused.problem(405).code).toBe('method-not-allowed');
        expect(refused.header('allow')).toMatch(/^(?:DELETE, )?GET, HEAD(?:, POST|, PUT)?$/);
      }
    },
  );
});

describe('a path with an invalid escape', () => {
  it.each(['/books/%', '/books/%zz', '/books/%e0%a4', '/%', '/customers/%c3%28', '/operations/%ff'])(
    'given %s, answers 400',
    async (path) => {
      (await app.client.get(path)).problem(400);
      (await app.client.delete(path)).problem(400);
    },
  );
});

describe.each(RESOURCES)('the id of a $name', ({ path, input }) => {
  it.each([
    ['0', '0'],
    ['-1', '-1'],
    ['+1', '+1'],
    ['01', '01'],
    ['1.0', '1.0'],
    ['1e3', '1e3'],
    ['0x1', '0x1'],
    ['abc', 'abc'],
    ['1 with a space', '1%20'],
    ['1 and a NUL', '1%00'],
    ['an Arabic digit', encodeURIComponent('١')],
    ['a slash', '1%2f2'],
    ['null', 'null'],
    ['__proto__', '__proto__'],
    ['2^53 + 1', '9007199254740993'],
    ['16 nines', '9999999999999999'],
    ['20 digits', '12345678901234567890'],
    ['1,000 letters', 'a'.repeat(1_000)],
    ['1,024 letters', 'a'.repeat(1_024)],
    ['1,024 digits', '1'.repeat(1_024)],
  ])('given %s, is refused as malformed on GET, PUT and DELETE', async (_title, id) => {
    const at = `${path}/${id}`;
    for (const refused of [await app.client.get(at), await app.client.put(at, input), await app.client.delete(at)]) {
      expect(refused.problem(400, 'id').code).toBe('malformed-id');
    }
  });

  it('given more than 1,024 characters, is refused', async () => {
    (await app.client.get(`${path}/${'1'.repeat(1_025)}`)).problem(400);
    (await app.client.delete(`${path}/${'1'.repeat(8_000)}`)).problem(400);
  });

  it.each(['999999999', '9007199254740991', '4294967297'])(
    'given %s, which no resource has, is answered 404',
    async (id) => {
      const at = `${path}/${id}`;
      for (const refused of [await app.client.get(at), await app.client.put(at, input), await app.client.delete(at)]) {
        expect(refused.problem(404).code).toBe('not-found');
      }
    },
  );

  it('given in escapes, is the same id', async () => {
    const at = await app.client.add(path, input);
    const id = at.slice(path.length + 1);
    const escaped = [...id].map((digit) => `%3${digit}`).join('');
    expect((await app.client.get(`${path}/${escaped}`)).text).toBe((await app.client.get(at)).text);
  });

  it('given malformed together with a malformed body, is refused, and nothing is written', async () => {
    (await app.client.put(`${path}/abc`, {})).problem(400);
  });
});

describe('bytes on a socket', () => {
  it.each([
    ['nonsense', 'GARBAGE\r\n\r\n', 'not an HTTP/1.1 request'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000', 'not an HTTP/1.1 request'],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'not an HTTP/1.1 request'],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n', 'not an HTTP/1.1 request'],
    [
      'a bad chunk',
      'POST /books HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'not an HTTP/1.1',
    ],
    [
      'two lengths',
      'POST /books HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      'not an HTTP',
    ],
    [
      'headers of 20,000 bytes',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      'headers are larger',
    ],
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 'needs a Host header'],
  ])('given %s, are answered with a problem and a request id', async (_title, bytes, detail) => {
    const received = await sendBytes(app.process.url, bytes);
    expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(received).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(received).toMatch(/\r\nx-request-id: \S+\r\n/i);
    const problem = JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4)) as Problem;
    expect(problem).toMatchObject({ status: 400, code: 'malformed-request', detail: expect.stringContaining(detail) });
  });

  it.each([
    ['HTTP/1.0 without Host', 'GET /health/live HTTP/1.0\r\n\r\n'],
    [
      'an unknown expectation',
      'GET /health/live HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n',
    ],
    [
      'an absolute address',
      'GET http://localhost/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ],
    [
      'an upgrade',
      'GET /health/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n',
    ],
  ])('given %s, are answered as an ordinary request', async (_title, bytes) => {
    expect(await sendBytes(app.process.url, bytes)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('given after a write on the same connection, are refused only after the write is answered', async () => {
    const body = JSON.stringify({ title: 'Before the junk', author: 'A', price: 1, quantity: 1 });
    const head = `POST /books HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}`;
    const received = await sendBytes(app.process.url, `${head}\r\n\r\n${body}junk\r\n\r\n`);
    expect(received.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 400']);
  });

  it('given nonsense, leave the app able to answer others', async () => {
    await Promise.all(Array.from({ length: 20 }, () => sendBytes(app.process.url, 'GARBAGE\r\n\r\n')));
    expect((await app.client.get('/health/ready')).status).toBe(200);
  });
});

describe('a request id', () => {
  it('given in a request, is returned in every kind of answer', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    const etag = (await app.client.get(at)).header('etag');
    const mine = { 'x-request-id': 'mine-42' };
    const answers = [
      await app.client.get(at, mine),
      await app.client.get(at, { ...mine, 'if-none-match': etag }),
      await app.client.get('/books', mine),
      await app.client.get('/nope', mine),
      await app.client.get('/books/%zz', mine),
      await app.client.post(CUSTOMER.path, CUSTOMER.input, mine),
      await app.client.post(CUSTOMER.path, {}, mine),
      await app.client.delete(at, mine),
      await app.client.get('/docs-json', mine),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 304, 200, 404, 400, 201, 400, 204, 200]);
    expect(answers.map((answer) => answer.header('x-request-id'))).toEqual(Array(9).fill('mine-42'));
  });

  it.each(['', ' ', 'two words', 'x'.repeat(129), 'ümlaut'])('given as %j, is replaced by a new id', async (given) => {
    const headers = { 'x-request-id': given };
    const [first, second] = [await app.client.get('/', headers), await app.client.get('/', headers)];
    const made = [first.header('x-request-id'), second.header('x-request-id')];
    expect(made).not.toContain(given);
    expect(new Set(made).size).toBe(2);
  });
});
