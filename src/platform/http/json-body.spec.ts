import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fastify, type FastifyInstance } from 'fastify';
import { anyCharacter } from '../../../test/support/any-character.js';
import { isAppError, isPlainKey } from '../../kernel/index.js';
import { useJsonBodies } from './json-body.js';

let server: FastifyInstance;

beforeAll(async () => {
  server = fastify();
  useJsonBodies(server);
  server.setErrorHandler((error, _request, reply) => {
    const [code, fields] = isAppError(error) ? [error.code, error.fields.map(({ field }) => field)] : [String(error)];
    void reply.code(400).send({ code, fields });
  });
  server.post('/', (request) => ({ body: request.body, raw: request.rawBody?.toString('base64') }));
  await server.ready();
});

interface Received {
  readonly body?: unknown;
  readonly raw?: string;
  readonly code?: string;
  readonly fields?: readonly string[];
}

async function send(payload: string | Buffer, type?: string): Promise<Received> {
  const headers = type === undefined ? {} : { 'content-type': type };
  return (await server.inject({ method: 'POST', url: '/', headers, payload })).json();
}

/** A name that JSON has to escape arrives as another that no field has. */
function withPlainNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPlainNames);
  if (typeof value !== 'object' || value === null) return value;
  const plain = (name: string): string => (isPlainKey(name) ? name : name.replace(/["\\\p{Cc}\p{Cs}]/gu, '\ufffd'));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [plain(name), withPlainNames(inner)]));
}

describe('a JSON body', () => {
  it('given any JSON without forbidden keys, arrives unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ stringUnit: anyCharacter }), async (value) => {
        const json = JSON.stringify(value);
        fc.pre(!/__proto__|constructor/.test(json));
        const received = await send(json, 'application/json');
        const expected = JSON.stringify({ body: withPlainNames(value), raw: Buffer.from(json).toString('base64') });
        expect(JSON.stringify(received)).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('given a known name in escapes, arrives under that name; given an impossible name, arrives as an unknown field', async () => {
    expect(await send('{"\\u0074it\\u006ce":"a\\"b"}', 'application/json')).toMatchObject({ body: { title: 'a"b' } });
    expect(await send('{"ti\\ntle":1,"\\\\":2}', 'application/json')).toMatchObject({
      body: { 'ti\ufffdtle': 1, '\ufffd': 2 },
    });
  });

  it('given a forbidden key at any place and in any escape, is refused', async () => {
    const escaped = (key: string, places: readonly boolean[]): string =>
      [...key].map((char, n) => (places[n] ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char)).join('');
    const wraps = [
      (inner: string) => `[${inner}]`,
      (inner: string) => `{"a":${inner}}`,
      (inner: string) => `[1,${inner}]`,
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('__proto__', 'constructor'),
        fc.array(fc.boolean(), { minLength: 11, maxLength: 11 }),
        fc.array(fc.constantFrom(...wraps), { maxLength: 6 }),
        async (key, places, around) => {
          const json = around.reduce((inner, wrap) => wrap(inner), `{"b":1,"${escaped(key, places)}":{}}`);
          expect(await send(json, 'application/json')).toEqual({ code: 'validation-failed', fields: [key] });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('given a forbidden key as a value, arrives', async () => {
    expect(await send('["__proto__","constructor","\\u005f"]', 'application/json')).toMatchObject({
      body: ['__proto__', 'constructor', '_'],
    });
  });

  it.each(['application/json', 'text/plain', 'application/octet-stream', 'nonsense', '*/*', ';', '', undefined])(
    'given no content with the type %j, arrives as none',
    async (type) => {
      const received = await send('', type);
      expect([received.body, received.code]).toEqual([undefined, undefined]);
    },
  );

  it.each(['text/plain', 'nonsense', '*/*', ';', 'application/jsonx', 'application/x+jsonx', undefined])(
    'given content with the type %j, is refused',
    async (type) => {
      expect((await send('{}', type)).code).toBe('unsupported-media-type');
    },
  );

  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/ld+json',
    'application/json;;',
  ])('given the type %j, arrives', async (type) => {
    expect((await send('{"a":1}', type)).body).toEqual({ a: 1 });
  });

  it.each(['{', 'undefined', '\ufeff{}', '{"a":1}}', "{'a':1}"])(
    'given %j, is refused as malformed',
    async (payload) => {
      expect((await send(payload, 'application/json')).code).toBe('malformed-json');
    },
  );

  it('given invalid UTF-8, is refused as malformed', async () => {
    expect((await send(Buffer.from([0x22, 0xff, 0x22]), 'application/json')).code).toBe('malformed-json');
  });
});
