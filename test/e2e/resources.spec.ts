import { describe, expect, it } from '@jest/globals';
import { BOOK, CUSTOMER, RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

describe.each(RESOURCES)('a $name', ({ name, path, input, changed, fields, serverOwned }) => {
  it('given POST with every field, is created under a new id and returned as JSON', async () => {
    const created = await app.client.post(path, input);
    expect(created.status).toBe(201);
    expect(created.header('content-type')).toBe('application/json; charset=utf-8');
    const { id, ...shown } = created.json<{ id: number }>();
    expect(shown).toEqual({ ...input, ...serverOwned });
    expect(created.header('location')).toBe(`${path}/${String(id)}`);
    expect(created.header('etag')).toMatch(/^"[\w-]+"$/);
  });

  it('given GET at its Location, equals the answer to the POST', async () => {
    const created = await app.client.post(path, input);
    const read = await app.client.get(created.header('location'));
    expect([read.status, read.text, read.header('etag')]).toEqual([200, created.text, created.header('etag')]);
  });

  it('given PUT with another body, is replaced and returned', async () => {
    const at = await app.client.add(path, input);
    const { id } = (await app.client.get(at)).json<{ id: number }>();
    const replaced = await app.client.put(at, changed);
    expect([replaced.status, replaced.json()]).toEqual([200, { id, ...changed, ...serverOwned }]);
    expect((await app.client.get(at)).text).toBe(replaced.text);
  });

  it('given DELETE, is answered 204 and unknown from then on', async () => {
    const at = await app.client.add(path, input);
    expect((await app.client.delete(at)).status).toBe(204);
    (await app.client.get(at)).problem(404);
    (await app.client.put(at, changed)).problem(404);
    (await app.client.delete(at)).problem(404);
  });

  it('given DELETE, leaves its id to no later one', async () => {
    const at = await app.client.add(path, input);
    await app.client.delete(at);
    expect(await app.client.add(path, input)).not.toBe(at);
  });

  it.each([
    { id: 999_999_999, orders_count: 41 },
    { id: 'x', orders_count: null },
    { id: null, orders_count: -1 },
    { id: { a: [] }, orders_count: [1e300] },
  ])('given %j, fields that the server owns, ignores them', async (owned) => {
    const created = await app.client.post(path, { ...owned, ...input });
    expect(created.status).toBe(201);
    const shown = created.json<{ id: number }>();
    expect(shown).toEqual({ id: shown.id, ...input, ...serverOwned });
    const replaced = await app.client.put(created.header('location'), { ...changed, ...owned });
    expect(replaced.json()).toEqual({ id: shown.id, ...changed, ...serverOwned });
  });

  it('given its own representation in a PUT, accepts it', async () => {
    const at = await app.client.add(path, input);
    const shown = await app.client.get(at);
    expect((await app.client.put(at, shown.json())).text).toBe(shown.text);
  });

  it('given a trailing slash on any path, behaves as without', async () => {
    const created = await app.client.post(`${path}/`, input);
    expect(created.status).toBe(201);
    const at = created.header('location');
    expect(at).not.toMatch(/\/$/);
    expect((await app.client.get(`${at}/`)).text).toBe(created.text);
    expect((await app.client.put(`${at}/`, changed)).status).toBe(200);
    expect((await app.client.get(`${path}/?limit=1`)).status).toBe(200);
    expect((await app.client.delete(`${at}/`)).status).toBe(204);
  });

  it('given HEAD, has the headers of GET and no body', async () => {
    const at = await app.client.add(path, input);
    for (const target of [at, path]) {
      const read = await app.client.get(target);
      const head = await app.client.send('HEAD', target);
      expect([head.status, head.text]).toEqual([200, '']);
      for (const header of ['content-type', 'content-length', 'etag', 'x-total-count']) {
        expect([header, head.header(header)]).toEqual([header, read.header(header)]);
      }
    }
  });

  it.each(['', '{}', ' \t\n{} '])(
    'given POST with %j and nothing else, is refused and every field is named',
    async (body) => {
      const refused = await app.client.send('POST', path, { body, headers: { 'content-type': 'application/json' } });
      refused.problem(400, ...fields);
    },
  );

  it('given PUT without one field, is refused, the field is named, and nothing changes', async () => {
    const at = await app.client.add(path, input);
    const before = await app.client.get(at);
    for (const missing of fields) {
      const rest = Object.fromEntries(Object.entries(changed).filter(([field]) => field !== missing));
      (await app.client.put(at, rest)).problem(400, missing);
    }
    expect((await app.client.get(at)).text).toBe(before.text);
  });

  it.each(['colour', 'toString', 'hasOwnProperty', '', '💚'])(
    'given the unknown field %j, is refused and the field is named',
    async (field) => {
      const at = await app.client.add(path, input);
      (await app.client.post(path, { ...input, [field]: 1 })).problem(400, field === '' ? 'body' : field);
      (await app.client.put(at, { ...input, [field]: 1 })).problem(400, field === '' ? 'body' : field);
    },
  );

  it('given 80,000 unknown fields, is refused with a short answer', async () => {
    const strange = Object.fromEntries(Array.from({ length: 80_000 }, (_, n) => [`f${String(n)}`, 1]));
    const refused = await app.client.post(path, { ...input, ...strange });
    expect(refused.problem(400).errors?.length).toBe(100);
    expect(refused.text.length).toBeLessThan(20_000);
  });

  it.each(['null', '[]', `[{"a":1}]`, '1', '"x"', 'true'])(
    'given POST of %s, is refused as not an object',
    async (body) => {
      const refused = await app.client.send('POST', path, { body, headers: { 'content-type': 'application/json' } });
      expect(refused.problem(400, 'body').detail).toMatch(/object/);
    },
  );

  it(`given any refusal, leaves the ${name}s unchanged`, async () => {
    const before = await app.client.get(`${path}?limit=1000`);
    await app.client.post(path, { ...input, x: 1 });
    await app.client.post(path, {});
    expect((await app.client.get(`${path}?limit=1000`)).text).toBe(before.text);
  });
});

describe('an e-mail address', () => {
  it('given twice, by two customers, is accepted', async () => {
    const first = await app.client.add(CUSTOMER.path, CUSTOMER.input);
    expect(await app.client.add(CUSTOMER.path, CUSTOMER.input)).not.toBe(first);
  });
});

describe('a book', () => {
  it('given PUTs of twenty clients at once, ends as one of them sent it', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => app.client.put(at, { ...BOOK.input, quantity: n })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(answers.map(({ text }) => text)).toContain((await app.client.get(at)).text);
  });
});
