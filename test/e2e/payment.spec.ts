import { describe, expect, it } from '@jest/globals';
import { type Answer, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';

const MAX = Number.MAX_SAFE_INTEGER;
const app = useSharedApp();

const post = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  app.client.post(`/payment/${path}`, undefined, headers);

async function newUser(credit = 0): Promise<string> {
  const { user_id } = (await post('create_user')).json<{ user_id: string }>();
  if (credit > 0) expect((await post(`add_funds/${user_id}/${String(credit)}`)).status).toBe(200);
  return user_id;
}

async function creditOf(id: string): Promise<unknown> {
  return (await app.client.get(`/payment/find_user/${id}`)).json()['credit'];
}

describe('a user of payment', () => {
  it('given create_user, has an id that is text and no credit, at its Location', async () => {
    const created = await post('create_user');
    const { user_id: id } = created.json<{ user_id: string }>();
    expect([created.status, typeof id, created.header('location')]).toEqual([
      201,
      'string',
      `/payment/find_user/${id}`,
    ]);
    const found = await app.client.get(created.header('location'));
    expect([found.status, found.text]).toEqual([200, JSON.stringify({ user_id: id, credit: 0 })]);
    expect((await app.client.get(created.header('location'), { 'if-none-match': found.header('etag') })).status).toBe(
      304,
    );
  });

  it('given add_funds and pay, has the difference, down to zero and never below it', async () => {
    const id = await newUser();
    expect((await post(`add_funds/${id}/1000000`)).json()).toEqual({ user_id: id, credit: 1_000_000 });
    expect((await post(`pay/${id}/999999`)).json()).toEqual({ user_id: id, credit: 1 });
    const refused = (await post(`pay/${id}/2`)).problem(409);
    expect([refused.code, refused.detail]).toEqual(['too-little-credit', expect.stringContaining(id)]);
    expect((await post(`pay/${id}/1`)).json()).toEqual({ user_id: id, credit: 0 });
    expect([(await post(`pay/${id}/0`)).status, await creditOf(id)]).toEqual([200, 0]);
  });

  it('given many payments at once, pays no more than there is', async () => {
    const id = await newUser(10);
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(`pay/${id}/1`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(10).fill(200),
      ...Array<number>(20).fill(409),
    ]);
    expect(await creditOf(id)).toBe(0);
  });

  it('given funds beyond the largest exact number, is refused them and keeps its credit', async () => {
    const id = await newUser(MAX);
    expect((await post(`pay/${id}/1`)).status).toBe(200);
    expect((await post(`add_funds/${id}/1`)).problem(409).code).toBe('conflict');
    expect([(await post(`add_funds/${id}/0`)).status, await creditOf(id)]).toEqual([200, MAX - 1]);
  });

  it.each(['add_funds', 'pay'])('given %s of what is no amount, or of nobody, is refused', async (action) => {
    const id = await newUser(1);
    for (const amount of ['-1', '1.5', '01', 'x', '9007199254740992', '%20']) {
      (await post(`${action}/${id}/${amount}`)).problem(400, 'amount');
    }
    (await post(`${action}/a%20b/1`)).problem(400, 'user_id');
    (await post(`${action}/${'x'.repeat(65)}/1`)).problem(400, 'user_id');
    (await post(`${action}/nobody/1`)).problem(404);
    expect(await creditOf(id)).toBe(1);
  });

  it('given an id that no user has, is unknown; given one that is none, is malformed', async () => {
    (await app.client.get('/payment/find_user/nobody')).problem(404);
    (await app.client.get('/payment/find_user/a.b')).problem(400, 'user_id');
  });

  it.each([
    ['octet-stream and nothing, as aiohttp', { 'content-type': 'application/octet-stream' }, undefined],
    ['JSON and nothing', { 'content-type': 'application/json' }, undefined],
    ['an empty object', {}, {}],
  ])('given requests with %s, serves them', async (_what, headers, json) => {
    expect((await app.client.post('/payment/create_user', json, headers)).status).toBe(201);
  });

  it('given a field in the body, refuses it by its name', async () => {
    (await app.client.post('/payment/create_user', { credit: 5 })).problem(400, 'credit');
  });

  it.each(['GET', 'PUT', 'DELETE'])('given %s where only POST is served, answers 405', async (method) => {
    expect((await app.client.send(method, '/payment/add_funds/1/1')).problem(405).code).toBe('method-not-allowed');
  });

  it('given a repeated Idempotency-Key, is funded once, and reports the write as an operation', async () => {
    const id = await newUser();
    const headers = { 'idempotency-key': newKey() };
    const [first, again] = [await post(`add_funds/${id}/5`, headers), await post(`add_funds/${id}/5`, headers)];
    expect([again.text, again.header('idempotency-replayed'), await creditOf(id)]).toEqual([first.text, 'true', 5]);
    const operation = await app.client.get(`/operations/${first.header('x-operation-id')}`);
    expect(operation.json()).toMatchObject({ state: 'committed', answer: { status: 200, body: first.json() } });
  });
});
