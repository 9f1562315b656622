import { describe, expect, it } from '@jest/globals';
import { type Answer, newKey } from './support/client.js';
import { exampleOf, fetchOpenApi } from './support/openapi.js';
import { useSharedApp } from './support/shared-app.js';

const PATH = '/sql_mongo/users';
const ADA = { firstname: 'Ada', lastname: 'Lovelace' };
const EVE = { firstname: 'Eve', lastname: 'Polastri' };
const app = useSharedApp();

const inSql = (id: number): string => `/sql/users/${String(id)}`;
const inDocuments = (id: number | string): string => `/nosql/users/${String(id)}`;
const idOf = (created: Answer): number => created.json<{ id: number }>().id;
const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).sort();

/** An id that neither store has had, far enough above all that were allotted for those that a test allots. */
async function unusedId(): Promise<number> {
  return idOf(await app.client.post(PATH, ADA)) + 1_000;
}

async function stored(id: number): Promise<readonly [sql: number, documents: number]> {
  return [(await app.client.get(inSql(id))).status, (await app.client.get(inDocuments(id))).status];
}

describe('POST /sql_mongo/users', () => {
  it('given names, creates one user in both stores under one id', async () => {
    const created = await app.client.post(PATH, { firstname: '  Ada ', lastname: 'Lovelace' });
    const { transactionId, ...user } = created.json<{ transactionId: string; id: number }>();
    expect([created.status, user]).toEqual([201, { id: user.id, ...ADA }]);
    expect(created.header('location')).toBe(inSql(user.id));
    expect((await app.client.get(inSql(user.id))).json()).toEqual({ id: user.id, ...ADA });
    expect((await app.client.get(inDocuments(user.id))).json()).toEqual({ id: String(user.id), ...ADA });
    expect((await app.client.get(`/transactions/${transactionId}`)).json()).toMatchObject({
      kind: 'users-2pc',
      state: 'committed',
      operationId: created.header('x-operation-id'),
    });
  });

  it('given a new user, answers with the log position of the document and without an ETag, because the body is not a resource', async () => {
    const created = await app.client.post(PATH, ADA);
    const after = await app.client.put(inDocuments(idOf(created)), EVE);
    const [epoch, seq] = created.header('x-commit').split('.').map(Number);
    expect(after.header('x-commit')).toBe(`${String(epoch)}.${String(seq! + 1)}`);
    expect([created.header('x-replicas-acked'), created.hasHeader('etag')]).toEqual(['0/0', false]);
  });

  it.each([1_000, 1e15])('given an id far above all others, uses it, and later ids are not affected', async (id) => {
    const before = idOf(await app.client.post(PATH, ADA));
    const chosen = id === 1e15 ? id : before + id;
    const created = await app.client.post(PATH, { ...ADA, id: chosen });
    expect([created.status, idOf(created), await stored(chosen)]).toEqual([201, chosen, [200, 200]]);
    expect(idOf(await app.client.post(PATH, ADA))).toBe(before + 1);
    expect(idOf(await app.client.post('/sql/users', ADA))).toBe(before + 2);
  });

  it('given an id that SQL already has, refuses it and writes no document', async () => {
    const id = idOf(await app.client.post('/sql/users', ADA));
    expect((await app.client.post(PATH, { ...EVE, id })).problem(409).code).toBe('conflict');
    expect(await stored(id)).toEqual([200, 404]);
    expect((await app.client.get(inSql(id))).json()).toMatchObject(ADA);
  });

  it('given an id that the documents already have, refuses it and writes nothing in SQL', async () => {
    const id = await unusedId();
    await app.client.post(inDocuments(id), ADA);
    expect((await app.client.post(PATH, { ...EVE, id })).problem(409).code).toBe('conflict');
    expect(await stored(id)).toEqual([404, 200]);
    expect((await app.client.get(inDocuments(id))).json()).toMatchObject(ADA);
  });

  it('given an id that it has already used, refuses it', async () => {
    const id = idOf(await app.client.post(PATH, ADA));
    (await app.client.post(PATH, { ...EVE, id })).problem(409);
    expect((await app.client.get(inSql(id))).json()).toMatchObject(ADA);
  });

  it('given users in each store alone and in both, uses the next id that is free in both', async () => {
    const before = idOf(await app.client.post(PATH, ADA));
    await app.client.post('/sql/users', ADA);
    await app.client.post(inDocuments(before + 2), ADA);
    await app.client.post(inDocuments(`0${String(before + 4)}`), ADA);
    expect((await app.client.post(PATH, { ...ADA, id: before + 3 })).status).toBe(201);
    expect(idOf(await app.client.post(PATH, ADA))).toBe(before + 4);
  });

  it('given the example of the API document, creates a user under the next id', async () => {
    const document = await fetchOpenApi(app.client);
    const { requestBody } = document.paths[PATH]!['post']!;
    const example = exampleOf(document, requestBody!.content['application/json']!.schema);
    expect(example).toEqual(ADA);
    expect((await app.client.post(PATH, example)).status).toBe(201);
  });

  it.each(['0', '-1', '1.5', '"7"', 'null', 'true', '[]', '{}', '""', '1000000000000001', '1e300', '9007199254740993'])(
    'given the id %s, refuses it by name and writes nothing',
    async (id) => {
      const before = idOf(await app.client.post(PATH, ADA));
      const body = `{"firstname":"Ada","lastname":"Lovelace","id":${id}}`;
      const headers = { 'content-type': 'application/json' };
      (await app.client.send('POST', PATH, { body, headers })).problem(400, 'id');
      expect(idOf(await app.client.post(PATH, ADA))).toBe(before + 1);
    },
  );

  it.each<[string, object | undefined, readonly string[]]>([
    ['no body', undefined, ['firstname', 'lastname']],
    ['an empty object', {}, ['firstname', 'lastname']],
    ['null', { ...ADA, firstname: null }, ['firstname']],
    ['51 characters', { ...ADA, lastname: 'x'.repeat(51) }, ['lastname']],
    ['an unknown field', { ...ADA, nickname: 'x' }, ['nickname']],
  ])('given %s, refuses it and names the fields', async (_what, body, fields) => {
    (await app.client.post(PATH, body)).problem(400, ...fields);
  });

  it('given an unknown write concern, refuses it by name; given a known one, accepts it', async () => {
    (await app.client.post(PATH, ADA, { 'x-write-concern': 'ALL' })).problem(400, 'X-Write-Concern');
    for (const concern of ['all', 'majority', 'primary']) {
      expect((await app.client.post(PATH, ADA, { 'x-write-concern': concern })).status).toBe(201);
    }
  });
});

describe('many POST /sql_mongo/users at once', () => {
  it('given fifty without an id, and fifty users in SQL only, allot a hundred ids without a gap', async () => {
    const before = idOf(await app.client.post(PATH, ADA));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => app.client.post(n % 2 === 0 ? PATH : '/sql/users', ADA)),
    );
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    const ids = answers.map(idOf).sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => before + 1 + n));
    for (const created of answers.filter((_, n) => n % 2 === 0))
      expect(await stored(idOf(created))).toEqual([200, 200]);
  });

  it('given twenty for one id, create one user, the same in both stores, and refuse the others', async () => {
    const id = await unusedId();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        app.client.post(PATH, { firstname: `writer ${String(n)}`, lastname: 'x', id }),
      ),
    );
    expect(statuses(answers)).toEqual([201, ...Array<number>(19).fill(409)]);
    const won = answers.find(({ status }) => status === 201)?.json<{ firstname: string }>();
    const [sql, document] = [await app.client.get(inSql(id)), await app.client.get(inDocuments(id))];
    expect([sql, document].map((read) => read.json()['firstname'])).toEqual([won?.firstname, won?.firstname]);
  });

  it('given ids that callers choose among ids that are being allotted, answer each caller with a user of its own', async () => {
    const before = idOf(await app.client.post(PATH, ADA));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => app.client.post(PATH, n % 3 === 0 ? { ...EVE, id: before + 1 + n } : ADA)),
    );
    const allotted = answers.filter((_, n) => n % 3 !== 0);
    expect(statuses(allotted)).toEqual(Array<number>(40).fill(201));
    const created = answers.filter(({ status }) => status === 201);
    expect(new Set(created.map(idOf)).size).toBe(created.length);
    for (const answer of created) {
      const { transactionId: _id, ...user } = answer.json();
      expect((await app.client.get(inSql(idOf(answer)))).json()).toEqual(user);
      expect((await app.client.get(inDocuments(idOf(answer)))).json()).toEqual({ ...user, id: String(user['id']) });
    }
    expect(statuses(answers.filter(({ status }) => status !== 201)).every((status) => status === 409)).toBe(true);
  });
});

describe('an Idempotency-Key of POST /sql_mongo/users', () => {
  it('given twenty requests at once, takes effect once and gives all of them the same answer, also later', async () => {
    const headers = { 'idempotency-key': newKey() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.client.post(PATH, ADA, headers)));
    const later = await app.client.post(PATH, ADA, headers);
    const essence = (answer: Answer): string =>
      JSON.stringify([
        answer.status,
        answer.text,
        ...['location', 'x-commit', 'x-operation-id'].map((name) => answer.header(name)),
      ]);
    expect(new Set([...answers, later].map(essence)).size).toBe(1);
    expect([later.status, later.header('idempotency-replayed')]).toEqual([201, 'true']);
    expect(idOf(await app.client.post(PATH, ADA))).toBe(idOf(later) + 1);
    (await app.client.post(PATH, EVE, headers)).problem(422);
  });

  it('given a chosen id, replays the first answer instead of reporting the id as taken', async () => {
    const body = { ...ADA, id: await unusedId() };
    const headers = { 'idempotency-key': newKey() };
    const first = await app.client.post(PATH, body, headers);
    const again = await app.client.post(PATH, body, headers);
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  it('given a write, can be read as an operation', async () => {
    const created = await app.client.post(PATH, ADA, { 'idempotency-key': newKey() });
    const operation = await app.client.get(`/operations/${created.header('x-operation-id')}`);
    expect(operation.json()).toMatchObject({
      state: 'committed',
      confirmed: true,
      answer: { status: 201, body: created.json(), headers: { location: created.header('location') } },
    });
  });
});

describe('the highest id that a caller may choose', () => {
  const own = useSharedApp();

  it('is accepted, and all lower ids remain available', async () => {
    expect((await own.client.post(PATH, { ...ADA, id: 1e15 })).status).toBe(201);
    expect(idOf(await own.client.post(PATH, ADA))).toBe(1);
    expect(idOf(await own.client.post('/sql/users', ADA))).toBe(2);
  });

  it('given a document user that has it, still leaves ids for users in both stores', async () => {
    await own.client.post('/nosql/users/9007199254740991', ADA);
    await own.client.post('/nosql/users/9999999999999999', ADA);
    expect((await own.client.post(PATH, ADA)).status).toBe(201);
  });
});
