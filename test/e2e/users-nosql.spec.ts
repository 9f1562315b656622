import { describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { Client, newKey } from './support/client.js';
import { CUSTOMER } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const PATH = '/nosql/users';
const ADA = { firstname: 'Ada', lastname: 'Lovelace' };
const EVE = { firstname: 'Eve', lastname: 'Polastri' };
const app = useSharedApp();

let taken = 0;

function freePath(): string {
  taken += 1;
  return `${PATH}/free-${String(taken)}`;
}

describe('document users', () => {
  it('given POST under an id, creates the user there, and GET returns the same user', async () => {
    const at = freePath();
    const created = await app.client.post(at, ADA);
    expect([created.status, created.header('location')]).toEqual([201, at]);
    expect(created.json()).toEqual({ id: at.slice(PATH.length + 1), ...ADA });
    const read = await app.client.get(at);
    expect([read.status, read.text, read.header('etag')]).toEqual([200, created.text, created.header('etag')]);
  });

  it.each(['7', '07', '0', '-', '_', 'A', '__proto__', 'constructor', '1e5', 'x'.repeat(64)])(
    'given POST under %s, creates a user different from all others',
    async (id) => {
      const created = await app.client.post(`${PATH}/${id}`, { ...ADA, firstname: id.slice(0, 50) });
      expect([created.status, created.json()]).toEqual([201, { id, ...ADA, firstname: id.slice(0, 50) }]);
      expect((await app.client.get(`${PATH}/${id}`)).text).toBe(created.text);
    },
  );

  it.each(['x'.repeat(65), 'a.b', 'a b', 'ä', '💚', 'a/b', "'", 'a\u0000', 'x'.repeat(1_000)])(
    'given %j, which cannot be an id, refuses it and names it',
    async (id) => {
      const at = `${PATH}/${encodeURIComponent(id).replaceAll('.', '%2E')}`;
      (await app.client.get(at)).problem(400, 'id');
      (await app.client.post(at, ADA)).problem(400, 'id');
      (await app.client.put(at, ADA)).problem(400, 'id');
    },
  );

  it('given POST under an id that is taken, refuses it and changes nothing', async () => {
    const at = freePath();
    const created = await app.client.post(at, ADA);
    expect((await app.client.post(at, EVE)).problem(409).code).toBe('conflict');
    expect((await app.client.post(at, ADA)).problem(409).detail).toMatch(/nothing was written/);
    expect((await app.client.get(at)).text).toBe(created.text);
  });

  it('given twenty POSTs under one id at once, creates one user', async () => {
    const at = freePath();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => app.client.post(at, { ...ADA, lastname: `writer ${String(n)}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(19).fill(409)]);
    const won = answers.find(({ status }) => status === 201);
    expect((await app.client.get(at)).text).toBe(won?.text);
  });

  it('given PUT, replaces the whole user', async () => {
    const at = freePath();
    await app.client.post(at, ADA);
    const replaced = await app.client.put(at, EVE);
    expect([replaced.status, replaced.json()]).toEqual([200, { id: at.slice(PATH.length + 1), ...EVE }]);
    (await app.client.put(at, { firstname: 'Half' })).problem(400, 'lastname');
    expect((await app.client.get(at)).text).toBe(replaced.text);
  });

  it('given an id that no user has, answers 404', async () => {
    const at = freePath();
    (await app.client.get(at)).problem(404);
    (await app.client.put(at, ADA)).problem(404);
    (await app.client.put(at, ADA, { 'if-match': '*' })).problem(404);
  });

  it.each([
    ['null', { firstname: null }, 'firstname'],
    ['51 characters', { lastname: 'x'.repeat(51) }, 'lastname'],
    ['an unknown field', { nickname: 'Ada' }, 'nickname'],
  ])('given %s, refuses it by the name of the field and creates nothing', async (_what, change, field) => {
    const at = freePath();
    (await app.client.post(at, { ...ADA, ...change })).problem(400, field);
    (await app.client.get(at)).problem(404);
  });

  it('given fields that the server owns, ignores them, because the path has the id', async () => {
    const at = freePath();
    const created = await app.client.post(at, { id: 'another', orders_count: 3, ...ADA });
    expect(created.json()).toEqual({ id: at.slice(PATH.length + 1), ...ADA });
  });

  it('given PUT with an If-Match of another version, leaves the user unchanged; with the current ETag, replaces the user', async () => {
    const at = freePath();
    const etag = (await app.client.post(at, ADA)).header('etag');
    (await app.client.put(at, EVE, { 'if-match': '"x"' })).problem(412);
    expect((await app.client.put(at, EVE, { 'if-match': etag })).status).toBe(200);
    (await app.client.put(at, ADA, { 'if-match': etag })).problem(412);
    expect((await app.client.get(at, { 'if-none-match': etag })).status).toBe(200);
    const current = (await app.client.get(at)).header('etag');
    expect((await app.client.get(at, { 'if-none-match': current })).status).toBe(304);
  });

  it.each([undefined, 'all', 'majority', 'primary'])(
    'given the write concern %s, reports the log position and the replicas that hold the write',
    async (given) => {
      const at = freePath();
      const headers = given === undefined ? {} : { 'x-write-concern': given };
      const answers = [await app.client.post(at, ADA, headers), await app.client.put(at, EVE, headers)];
      const seqs = answers.map((answer) => Number(/^\d+\.(\d+)$/.exec(answer.header('x-commit'))?.[1]));
      expect(answers.map((answer) => answer.header('x-replicas-acked'))).toEqual(['0/0', '0/0']);
      expect(seqs[1]).toBe(seqs[0]! + 1);
      (await app.client.put(at, ADA, { 'x-write-concern': 'ALL' })).problem(400, 'X-Write-Concern');
    },
  );

  it('given a repeated Idempotency-Key, writes once, even where a repeat without the key would be refused', async () => {
    const at = freePath();
    const headers = { 'idempotency-key': newKey() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => app.client.post(at, ADA, headers)));
    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    await app.client.put(at, EVE);
    const replay = await app.client.post(at, ADA, headers);
    for (const name of ['location', 'etag', 'x-commit', 'x-operation-id']) {
      expect([name, replay.header(name)]).toEqual([name, answers[0]?.header(name)]);
    }
    (await app.client.post(at, EVE, headers)).problem(422);
  });

  it('given a write, reports it as an operation that belongs to no customer', async () => {
    const at = freePath();
    const created = await app.client.post(at, ADA);
    const replaced = await app.client.put(at, EVE);
    const customer = await app.client.post(CUSTOMER.path, CUSTOMER.input);
    for (const answer of [created, replaced, customer]) {
      const operation = await app.client.get(`/operations/${answer.header('x-operation-id')}`);
      const { status, headers, body } = operation.json<{ answer: Record<string, unknown> }>().answer;
      expect([status, body]).toEqual([answer.status, answer.json()]);
      expect(headers).toMatchObject({ etag: answer.header('etag'), 'x-commit': answer.header('x-commit') });
    }
  });

  it('given writes on customers, are unaffected, and customers by writes on users', async () => {
    const customer = await app.client.add(CUSTOMER.path, CUSTOMER.input);
    await app.client.post(freePath(), ADA);
    const next = await app.client.add(CUSTOMER.path, CUSTOMER.input);
    const idOf = (at: string): number => Number(at.split('/').at(-1));
    expect(idOf(next)).toBe(idOf(customer) + 1);
    expect((await app.client.get(`${PATH}/${String(idOf(next))}x`)).status).toBe(404);
  });
});

describe('document users after kill -9, a clean stop and restarts', () => {
  it('are unchanged, and their keys replay the same answers', async () => {
    const directory = temporaryDirectory();
    const ids = ['b', '10', '7', '07', '__proto__'];
    const headers = { 'idempotency-key': newKey() };
    const first: string[] = [];
    for (const end of ['kill', 'stop', 'kill'] as const) {
      const living = await AppProcess.start(directory);
      const client = new Client(living.url);
      for (const [index, id] of ids.entries()) {
        const answer = await client.post(`${PATH}/${id}`, { ...ADA, firstname: id }, headers);
        expect(answer.status).toBe(201);
        expect(answer.text).toBe((first[index] ??= answer.text));
        expect((await client.get(`${PATH}/${id}`)).text).toBe(answer.text);
      }
      await living[end]();
    }
    removeDirectory(directory);
  }, 60_000);
});
