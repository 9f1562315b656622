import { describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { Client, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';

const PATH = '/sql/users';
const ADA = { firstname: 'Ada', lastname: 'Lovelace' };
const app = useSharedApp();

const idOf = (at: string): number => Number(at.slice(PATH.length + 1));
const unused = (): Promise<string> => Promise.resolve(`${PATH}/999999999`);

describe('SQL users', () => {
  it('given names, POST creates the user under a new id, and GET at its Location returns the same user', async () => {
    const created = await app.client.post(PATH, ADA);
    const at = created.header('location');
    expect([created.status, created.json()]).toEqual([201, { id: idOf(at), ...ADA }]);
    const read = await app.client.get(at);
    expect([read.status, read.text, read.header('etag')]).toEqual([200, created.text, created.header('etag')]);
    expect(['x-cache', 'x-commit'].filter((name) => read.hasHeader(name) || created.hasHeader(name))).toEqual([]);
  });

  it('given fifty clients that POST at once, gives each user a different id, above all earlier ids', async () => {
    const before = idOf(await app.client.add(PATH, ADA));
    const paths = await Promise.all(Array.from({ length: 50 }, () => app.client.add(PATH, ADA)));
    const ids = paths.map(idOf);
    expect(new Set(ids).size).toBe(50);
    expect(Math.min(...ids)).toBe(before + 1);
    expect(Math.max(...ids)).toBe(before + 50);
  });

  it.each<[string, object | undefined, object]>([
    ['a first name', { firstname: ' Augusta ' }, { firstname: 'Augusta', lastname: 'Lovelace' }],
    ['a last name', { lastname: 'King' }, { firstname: 'Ada', lastname: 'King' }],
    ['both', { lastname: 'King', firstname: 'Augusta' }, { firstname: 'Augusta', lastname: 'King' }],
    ['fields of the server', { id: 7, orders_count: 1 }, ADA],
    ['an empty object', {}, ADA],
    ['no body', undefined, ADA],
  ])('given PUT with %s, changes only those fields', async (_what, change, expected) => {
    const at = await app.client.add(PATH, ADA);
    const before = await app.client.get(at);
    const changed = await app.client.put(at, change);
    expect([changed.status, changed.json()]).toEqual([200, { id: idOf(at), ...expected }]);
    const read = await app.client.get(at);
    expect([read.text, read.header('etag')]).toEqual([changed.text, changed.header('etag')]);
    expect(read.text === before.text).toBe(expected === ADA);
  });

  it.each([
    ['null', { firstname: null }, 'firstname'],
    ['a number', { lastname: 1 }, 'lastname'],
    ['blanks', { lastname: ' \t ' }, 'lastname'],
    ['51 characters', { firstname: 'x'.repeat(51) }, 'firstname'],
    ['51 characters of two units', { firstname: '💚'.repeat(51) }, 'firstname'],
    ['an unknown field', { nickname: 'Ada' }, 'nickname'],
  ])('given %s, refuses it by the name of the field and leaves the user unchanged', async (_what, change, field) => {
    const at = await app.client.add(PATH, ADA);
    const before = await app.client.get(at);
    (await app.client.put(at, change)).problem(400, field);
    (await app.client.post(PATH, { ...ADA, ...change })).problem(400, field);
    expect((await app.client.get(at)).text).toBe(before.text);
    expect(idOf(await app.client.add(PATH, ADA))).toBe(idOf(at) + 1);
  });

  it.each(['x', 'x'.repeat(50), '💚'.repeat(50)])('given the name %s, accepts it', async (name) => {
    const created = await app.client.post(PATH, { firstname: `  ${name}\n`, lastname: name });
    expect([created.status, created.json()]).toMatchObject([201, { firstname: name, lastname: name }]);
  });

  it('given POST without names, refuses it and names both fields', async () => {
    (await app.client.post(PATH, {})).problem(400, 'firstname', 'lastname');
    (await app.client.post(PATH)).problem(400, 'firstname', 'lastname');
  });

  it('given an id that no user has, answers 404', async () => {
    (await app.client.get(await unused())).problem(404);
    (await app.client.put(await unused(), ADA)).problem(404);
  });

  it.each(['0', '-1', 'x', '1.5', '01', '9007199254740993'])('given the malformed id %s, refuses it', async (id) => {
    (await app.client.get(`${PATH}/${id}`)).problem(400, 'id');
    (await app.client.put(`${PATH}/${id}`, ADA)).problem(400, 'id');
  });

  it.each(['GET', 'PUT', 'DELETE'])(
    'given %s without an id, answers 405, because that path serves only POST',
    async (method) => {
      expect((await app.client.send(method, PATH)).problem(405).code).toBe('method-not-allowed');
    },
  );

  it('given PUT with an If-Match of another version, leaves the user unchanged; with the current ETag, changes the user', async () => {
    const created = await app.client.post(PATH, ADA);
    const at = created.header('location');
    (await app.client.put(at, { firstname: 'Eve' }, { 'if-match': '"x"' })).problem(412);
    expect((await app.client.get(at)).text).toBe(created.text);
    const headers = { 'if-match': created.header('etag') };
    expect((await app.client.put(at, { firstname: 'Augusta' }, headers)).status).toBe(200);
    (await app.client.put(at, { firstname: 'Eve' }, headers)).problem(412);
  });

  it('given twenty PUTs at once with the same ETag, applies exactly one', async () => {
    const created = await app.client.post(PATH, ADA);
    const headers = { 'if-match': created.header('etag') };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => app.client.put(created.header('location'), { lastname: `${n}` }, headers)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(412)]);
  });

  it('given GET with the current ETag, answers 304', async () => {
    const created = await app.client.post(PATH, ADA);
    const headers = { 'if-none-match': created.header('etag') };
    const read = await app.client.get(created.header('location'), headers);
    expect([read.status, read.text]).toEqual([304, '']);
  });

  it('given a repeated Idempotency-Key, writes the user once, and reports the write as an operation', async () => {
    const headers = { 'idempotency-key': newKey() };
    const [first, second] = await Promise.all([1, 2].map(() => app.client.post(PATH, ADA, headers)));
    expect(second?.text).toBe(first?.text);
    const at = first!.header('location');
    const changed = await app.client.put(at, { lastname: 'King' }, headers);
    await app.client.put(at, { lastname: 'Byron' });
    const replay = await app.client.put(at, { lastname: 'King' }, headers);
    expect([replay.text, replay.header('idempotency-replayed')]).toEqual([changed.text, 'true']);
    (await app.client.put(at, { lastname: 'Noel' }, headers)).problem(422);
    const operation = await app.client.get(`/operations/${changed.header('x-operation-id')}`);
    expect(operation.json()).toMatchObject({ state: 'committed', answer: { status: 200, body: changed.json() } });
  });
});

describe('SQL users after kill -9 and a restart', () => {
  it('are unchanged, and new ids are above theirs', async () => {
    const directory = temporaryDirectory();
    const paths: string[] = [];
    for (let life = 1; life <= 3; life += 1) {
      const living = await AppProcess.start(directory);
      const client = new Client(living.url);
      for (const at of paths) expect((await client.get(at)).json()).toEqual({ id: idOf(at), ...ADA });
      paths.push(await client.add(PATH, ADA));
      await living.kill();
    }
    expect(paths.map(idOf)).toEqual([1, 2, 3]);
    removeDirectory(directory);
  }, 60_000);
});
