import { describe, expect, it } from '@jest/globals';
import { newKey } from './support/client.js';
import { sendBytes } from './support/raw-socket.js';
import { RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();
const MEBIBYTE = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };

/** Sent in pieces without a length, as `Transfer-Encoding: chunked`. */
function chunked(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      pieces.forEach((piece) => {
        controller.enqueue(encoder.encode(piece));
      });
      controller.close();
    },
  });
}

/** JSON of exactly this many bytes whose only fault is that its one field is not known. */
function jsonOf(bytes: number): string {
  return `{"x":"${'y'.repeat(bytes - 8)}"}`;
}

describe.each(RESOURCES)('a body sent to $path', ({ path, input, changed, fields }) => {
  it.each([
    '{',
    '{"title":}',
    '{title:1}',
    "{'title':'a'}",
    '{"title":"a",}',
    'undefined',
    'NaN',
    '{"price":NaN}',
    '{"price":.5}',
    '{"price":01}',
    '"\u0001"',
    '{} {}',
    '\ufeff{}',
    ' ',
    '<books/>',
  ])('given %j, is refused as malformed JSON on POST and PUT', async (body) => {
    const at = await app.client.add(path, input);
    for (const [method, target] of [['POST', path] as const, ['PUT', at] as const]) {
      const refused = await app.client.send(method, target, { body, headers: JSON_TYPE });
      expect(refused.problem(400).code).toBe('malformed-json');
    }
  });

  it('given invalid UTF-8, is refused as malformed', async () => {
    const body = Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    (await app.client.send('POST', path, { body, headers: JSON_TYPE })).problem(400);
  });

  it('given 500,000 levels of nesting, is refused', async () => {
    const body = '['.repeat(500_000) + ']'.repeat(500_000);
    (await app.client.send('POST', path, { body, headers: JSON_TYPE })).problem(400, 'body');
  });

  it('given exactly 1 MiB, passes the size check', async () => {
    for (const body of [jsonOf(MEBIBYTE), chunked(jsonOf(MEBIBYTE))]) {
      (await app.client.send('POST', path, { body, headers: JSON_TYPE })).problem(400, 'x', ...fields);
    }
  });

  it.each([MEBIBYTE + 1, 3 * MEBIBYTE])(
    'given %d bytes, is refused as too large, whatever its content',
    async (bytes) => {
      const at = await app.client.add(path, input);
      for (const body of [jsonOf(bytes), chunked(jsonOf(bytes)), 'x'.repeat(bytes)]) {
        (await app.client.send('POST', path, { body, headers: JSON_TYPE })).problem(413);
      }
      (await app.client.send('PUT', at, { body: jsonOf(bytes), headers: JSON_TYPE })).problem(413);
    },
  );

  it('given 8 MiB from a client that reads only after it has sent everything, is answered 413', async () => {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${String(8 * MEBIBYTE)}`;
    const next = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const received = await sendBytes(app.process.url, `${head}\r\n\r\n${'x'.repeat(8 * MEBIBYTE)}${next}`);
    expect(received).toMatch(/^HTTP\/1.1 413 /);
    expect(received).toMatch(/"code":"body-too-large"}HTTP\/1.1 200 OK/);
  });

  it.each([
    'text/plain',
    'text/plain; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/xml',
    'text/json',
    'application/jsonp',
    'application/json5',
    'json',
    '*/*',
    ';;;',
  ])('given the type %s and content, is refused on POST, PUT and DELETE', async (type) => {
    const at = await app.client.add(path, input);
    const asking = { body: JSON.stringify(changed), headers: { 'content-type': type } };
    (await app.client.send('POST', path, asking)).problem(415);
    (await app.client.send('PUT', at, asking)).problem(415);
    (await app.client.send('DELETE', at, asking)).problem(415);
    expect((await app.client.get(at)).status).toBe(200);
  });

  it('given content without a type, is refused', async () => {
    (await app.client.send('POST', path, { body: JSON.stringify(input) })).problem(415);
    (await app.client.send('POST', path, { body: chunked(JSON.stringify(input)) })).problem(415);
  });

  it.each(['application/json', 'Application/JSON', 'application/json;charset=utf-8', 'application/merge-patch+json'])(
    'given the type %s, is read as JSON',
    async (type) => {
      const created = await app.client.post(path, input, { 'content-type': type });
      expect(created.status).toBe(201);
    },
  );

  it.each([
    ['content-length: 0', 'application/octet-stream'],
    ['content-length: 0', 'application/json'],
    ['content-length: 0', 'text/plain'],
    ['content-length: 0', 'multipart/form-data'],
    ['content-length: 0', undefined],
    ['transfer-encoding: chunked', 'application/octet-stream'],
    ['transfer-encoding: chunked', 'application/json'],
    ['transfer-encoding: chunked', undefined],
    ['x-no-length: at all', 'text/plain'],
    ['x-no-length: at all', undefined],
  ])('given no content, with %s and the type %s, is refused and the missing fields are named', async (length, type) => {
    const lines = [`POST ${path} HTTP/1.1`, 'host: localhost', 'connection: close', length];
    if (type !== undefined) lines.push(`content-type: ${type}`);
    const body = length.endsWith('chunked') ? '0\r\n\r\n' : '';
    const received = await sendBytes(app.process.url, `${lines.join('\r\n')}\r\n\r\n${body}`);
    expect(received).toMatch(/^HTTP\/1.1 400 /);
    for (const field of fields) expect(received).toContain(`{"field":"${field}"`);
  });

  it.each(['application/octet-stream', 'application/json', 'text/plain', 'multipart/form-data', 'nonsense'])(
    'given a DELETE without content and the type %s, is accepted',
    async (type) => {
      const at = await app.client.add(path, input);
      expect((await app.client.delete(at, { 'content-type': type })).status).toBe(204);
    },
  );

  it.each([
    ['__proto__', `"__proto__":{"title":"x"}`],
    ['__proto__', `"\\u005f_proto__":null`],
    ['__proto__', `"\\u005F\\u005fproto\\u005f_":1`],
    ['__proto__', `"id":{"a":[{"__proto__":{}}]}`],
    ['__proto__', `"x":[[["a",{"\\u005f_proto__":1}]]]`],
    ['constructor', `"constructor":{"prototype":{}}`],
    ['constructor', `"\\u0063onstructor":1`],
    ['constructor', `"orders_count":[{"constructor":1}]`],
  ])('given the key %s as in %s, is refused and the key is named', async (key, member) => {
    const at = await app.client.add(path, input);
    const body = `${JSON.stringify(input).slice(0, -1)},${member}}`;
    (await app.client.send('POST', path, { body, headers: JSON_TYPE })).problem(400, key);
    (await app.client.send('PUT', at, { body, headers: { ...JSON_TYPE, 'idempotency-key': newKey() } })).problem(
      400,
      key,
    );
  });
});
