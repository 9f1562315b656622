import { describe, expect, it } from '@jest/globals';
import { BOOK, CUSTOMER, RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

describe.each(RESOURCES)('the ETag of a $name', ({ path, input, changed }) => {
  async function added(): Promise<{ readonly at: string; readonly etag: string }> {
    const created = await app.client.post(path, input);
    return { at: created.header('location'), etag: created.header('etag') };
  }

  it('is strong, and equal for POST, GET, an equal PUT and another GET', async () => {
    const { at, etag } = await added();
    expect(etag).toMatch(/^"[^"]+"$/);
    const replaced = await app.client.put(at, input);
    expect([replaced.header('etag'), (await app.client.get(at)).header('etag')]).toEqual([etag, etag]);
  });

  it('changes with the representation, and returns with it', async () => {
    const { at, etag } = await added();
    const other = (await app.client.put(at, changed)).header('etag');
    expect(other).not.toBe(etag);
    expect((await app.client.put(at, input)).header('etag')).toBe(etag);
  });

  it('differs between two resources with the same fields, because their ids differ', async () => {
    expect((await added()).etag).not.toBe((await added()).etag);
  });

  it.each([
    ['the ETag', (etag: string) => etag],
    ['*', () => '*'],
    ['a list that holds it', (etag: string) => `"x", ${etag},"y"`],
    ['the ETag in spaces', (etag: string) => `  ${etag} `],
  ])('given as If-Match: %s, allows PUT and DELETE', async (_title, header) => {
    const { at, etag } = await added();
    const replaced = await app.client.put(at, changed, { 'if-match': header(etag) });
    expect(replaced.status).toBe(200);
    expect((await app.client.delete(at, { 'if-match': header(replaced.header('etag')) })).status).toBe(204);
  });

  it.each([
    ['another tag', () => '"x"'],
    ['the weak form', (etag: string) => `W/${etag}`],
    ['a list without it', () => '"x", "y"'],
    ['a list of weak forms', (etag: string) => `"x", W/${etag}`],
    ['a star in quotes', () => '"*"'],
  ])('given %s in If-Match, PUT and DELETE answer 412 and write nothing', async (_title, header) => {
    const { at, etag } = await added();
    const headers = { 'if-match': header(etag) };
    expect((await app.client.put(at, changed, headers)).problem(412).code).toBe('precondition-failed');
    (await app.client.delete(at, headers)).problem(412);
    expect((await app.client.get(at)).header('etag')).toBe(etag);
  });

  it.each([
    ['the tag without quotes', (etag: string) => etag.replaceAll('"', '')],
    ['half a tag', (etag: string) => etag.slice(0, -1)],
    ['nothing', () => ''],
    ['nonsense', () => 'x'.repeat(1_000)],
    ['a star in a list', () => '*, "x"'],
  ])('given %s instead, answers 400 with the name of the header, and writes nothing', async (_title, broken) => {
    const { at, etag } = await added();
    for (const name of ['If-Match', 'If-None-Match']) {
      const headers = { [name]: broken(etag) };
      (await app.client.put(at, changed, headers)).problem(400, name);
      (await app.client.delete(at, headers)).problem(400, name);
      (await app.client.get(at, headers)).problem(400, name);
    }
    expect((await app.client.get(at)).header('etag')).toBe(etag);
  });

  it.each([
    ['*', () => '*'],
    ['the ETag', (etag: string) => etag],
    ['its weak form', (etag: string) => `W/${etag}`],
    ['a list that holds it', (etag: string) => `"x", ${etag}`],
  ])('given as If-None-Match: %s, PUT and DELETE answer 412 and write nothing', async (_title, header) => {
    const { at, etag } = await added();
    const headers = { 'if-none-match': header(etag) };
    expect((await app.client.put(at, changed, headers)).problem(412).code).toBe('precondition-failed');
    expect((await app.client.delete(at, headers)).problem(412).code).toBe('precondition-failed');
    expect((await app.client.get(at)).header('etag')).toBe(etag);
  });

  it('given other tags in If-None-Match, allows PUT and DELETE', async () => {
    const { at } = await added();
    const headers = { 'if-none-match': '"x", W/"y"' };
    expect((await app.client.put(at, changed, headers)).status).toBe(200);
    expect((await app.client.delete(at, headers)).status).toBe(204);
  });

  it('given both headers, evaluates If-Match first and then If-None-Match', async () => {
    const { at, etag } = await added();
    const both = await app.client.put(at, changed, { 'if-match': etag, 'if-none-match': '"x"' });
    expect(both.status).toBe(200);
    const first = await app.client.get(at, { 'if-match': '"x"', 'if-none-match': both.header('etag') });
    expect(first.problem(412).detail).toMatch(/If-Match/);
    const second = await app.client.put(at, input, { 'if-match': both.header('etag'), 'if-none-match': '*' });
    expect(second.problem(412).detail).toMatch(/If-None-Match/);
  });

  it('given an ETag from before a change, answers a second writer with 412', async () => {
    const { at, etag } = await added();
    const first = await app.client.put(at, changed, { 'if-match': etag });
    (await app.client.put(at, input, { 'if-match': etag })).problem(412);
    (await app.client.delete(at, { 'if-match': etag })).problem(412);
    expect((await app.client.get(at)).text).toBe(first.text);
  });

  it('given twenty writers at once with the same ETag, lets exactly one write', async () => {
    const { at, etag } = await added();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        app.client.put(at, { ...input, [Object.keys(input)[0]!]: `writer ${String(n)}` }, { 'if-match': etag }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(412)]);
    const won = answers.find(({ status }) => status === 200);
    expect((await app.client.get(at)).text).toBe(won?.text);
  });

  it('given If-Match on an id that does not exist, answers 404', async () => {
    for (const header of ['*', '"x"']) {
      (await app.client.put(`${path}/999999999`, input, { 'if-match': header })).problem(404);
      (await app.client.delete(`${path}/999999999`, { 'if-match': header })).problem(404);
    }
  });

  it('given a read with an If-Match that names another version, answers 412; with the current one, answers 200', async () => {
    const { at, etag } = await added();
    for (const method of ['GET', 'HEAD']) {
      const statusOf = async (header: string): Promise<number> =>
        (await app.client.send(method, at, { headers: { 'if-match': header } })).status;
      expect([await statusOf('"x"'), await statusOf(`W/${etag}`)]).toEqual([412, 412]);
      expect([await statusOf(etag), await statusOf('*')]).toEqual([200, 200]);
    }
  });

  it('given If-Match with an invalid body, answers 400', async () => {
    const { at } = await added();
    (await app.client.put(at, {}, { 'if-match': '"x"' })).problem(400);
  });

  it.each([
    ['the ETag', (etag: string) => etag],
    ['its weak form', (etag: string) => `W/${etag}`],
    ['a list that holds it', (etag: string) => `"x", ${etag}`],
    ['*', () => '*'],
  ])('given as If-None-Match: %s, a read answers 304 without a body', async (_title, header) => {
    const { at, etag } = await added();
    for (const method of ['GET', 'HEAD']) {
      const read = await app.client.send(method, at, { headers: { 'if-none-match': header(etag) } });
      expect([read.status, read.text, read.header('etag')]).toEqual([304, '', etag]);
      expect(read.hasHeader('content-type')).toBe(false);
    }
  });

  it.each([
    ['another tag', () => '"x"'],
    ['a list without it', () => '"x", W/"y"'],
  ])('given %s in If-None-Match, a read returns the whole resource', async (_title, header) => {
    const { at, etag } = await added();
    const read = await app.client.get(at, { 'if-none-match': header() });
    expect([read.status, read.header('etag')]).toEqual([200, etag]);
  });

  it('given an outdated ETag in If-None-Match, a read returns the new representation', async () => {
    const { at, etag } = await added();
    const replaced = await app.client.put(at, changed);
    const read = await app.client.get(at, { 'if-none-match': etag });
    expect([read.status, read.text]).toEqual([200, replaced.text]);
  });
});

describe('the ETag of the book list', () => {
  it('given an unchanged page, answers 304; given a changed page, returns it', async () => {
    const at = await app.client.add(BOOK.path, BOOK.input);
    const list = await app.client.get('/books?limit=1000');
    const etag = list.header('etag');
    const same = await app.client.get('/books?limit=1000', { 'if-none-match': etag });
    expect([same.status, same.text, same.header('x-total-count')]).toEqual([304, '', list.header('x-total-count')]);

    await app.client.put(at, BOOK.changed);
    const changed = await app.client.get('/books?limit=1000', { 'if-none-match': etag });
    expect([changed.status, changed.header('etag') === etag]).toEqual([200, false]);

    await app.client.put(at, BOOK.input);
    expect((await app.client.get('/books?limit=1000', { 'if-none-match': etag })).status).toBe(304);
  });

  it('given a list with an If-Match that names another version, answers 412; with the current one, answers 200', async () => {
    const etag = (await app.client.get('/books')).header('etag');
    (await app.client.get('/books', { 'if-match': '"x"' })).problem(412);
    expect((await app.client.get('/books', { 'if-match': etag })).status).toBe(200);
  });

  it('given a write on customers, does not change', async () => {
    const { header } = { header: (await app.client.get('/books')).header('etag') };
    await app.client.add(CUSTOMER.path, CUSTOMER.input);
    expect((await app.client.get('/books', { 'if-none-match': header })).status).toBe(304);
  });
});

describe('If-None-Match and If-Match on users', () => {
  const ADA = { firstname: 'Ada', lastname: 'Lovelace' };
  const OTHER = { firstname: 'Grace', lastname: 'Hopper' };

  it('given * or the ETag in If-None-Match on PUT of an existing user, answer 412; given the ETag in If-Match, allow the write', async () => {
    const paths = [await app.client.add('/sql/users', ADA), await app.client.add('/nosql/users/conditional-1', ADA)];
    for (const at of paths) {
      const etag = (await app.client.get(at)).header('etag');
      (await app.client.put(at, OTHER, { 'if-none-match': '*' })).problem(412);
      (await app.client.put(at, OTHER, { 'if-none-match': etag })).problem(412);
      (await app.client.put(at, OTHER, { 'if-match': '"x"' })).problem(412);
      (await app.client.put(at, OTHER, { 'if-match': 'x' })).problem(400, 'If-Match');
      expect((await app.client.get(at)).header('etag')).toBe(etag);
      expect((await app.client.put(at, OTHER, { 'if-match': etag, 'if-none-match': '"x"' })).status).toBe(200);
    }
  });

  it('given POST under an id, If-None-Match: * answers 412 if the user exists, and If-Match if it does not', async () => {
    const at = '/nosql/users/conditional-2';
    (await app.client.post(at, ADA, { 'if-match': '*' })).problem(412);
    expect((await app.client.post(at, ADA, { 'if-none-match': '*' })).status).toBe(201);
    (await app.client.post(at, OTHER, { 'if-none-match': '*' })).problem(412);
    (await app.client.post(at, OTHER, { 'if-match': '*' })).problem(409);
    (await app.client.post(at, OTHER, { 'if-none-match': '"x' })).problem(400, 'If-None-Match');
    expect((await app.client.get(at)).json()).toMatchObject(ADA);
  });
});
