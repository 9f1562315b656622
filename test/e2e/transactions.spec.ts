import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Client, newKey } from './support/client.js';
import { BOOK } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

interface Transaction {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly participants: readonly { readonly name: string; readonly state: string }[];
  readonly history: readonly { readonly phase: string; readonly at: string; readonly participant?: string }[];
  readonly operationId?: string;
}

const UNKNOWN = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';
const MALFORMED = ['1', 'abc', '0', UNKNOWN.toUpperCase(), `${UNKNOWN}0`, '%00', '__proto__', 'x'.repeat(1_024)];
const WHY = { reason: 'a test' };

function ids(answer: Answer): string[] {
  return answer.json<Transaction[]>().map(({ id }) => id);
}

async function addOne(client: Client): Promise<{ readonly id: string; readonly answer: Answer }> {
  const answer = await client.post('/books-2pc', BOOK.input);
  return { id: answer.json<{ transactionId: string }>().transactionId, answer };
}

describe('a transaction', () => {
  const app = useSharedApp();

  it('given a committed transaction, shows its phases and the id of its write', async () => {
    const { id, answer } = await addOne(app.client);
    const read = await app.client.get(`/transactions/${id}`);
    const shown = read.json<Transaction>();
    expect(shown).toEqual({
      id,
      kind: 'books-2pc',
      state: 'committed',
      operationId: answer.header('x-operation-id'),
      participants: [{ name: 'documents', state: 'committed' }],
      history: expect.anything(),
    });
    const times = shown.history.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    expect(shown.history.length).toBeGreaterThanOrEqual(4);
    expect(shown.history.some(({ participant }) => participant === 'documents')).toBe(true);
    expect(shown.history.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['prepare', 'committed']));
  });

  it('given the current ETag, answers 304', async () => {
    const { id } = await addOne(app.client);
    const etag = (await app.client.get(`/transactions/${id}`)).header('etag');
    expect((await app.client.get(`/transactions/${id}`, { 'if-none-match': etag })).status).toBe(304);
  });

  it.each(MALFORMED)('given the malformed id %s, answers 400', async (id) => {
    expect((await app.client.get(`/transactions/${id}`)).problem(400, 'id').code).toBe('malformed-id');
    (await app.client.post(`/transactions/${id}/resolve`, { decision: 'abort', ...WHY })).problem(400, 'id');
  });

  it('given an unknown id, answers 404', async () => {
    expect((await app.client.get(`/transactions/${UNKNOWN}`)).problem(404).code).toBe('not-found');
  });
});

describe('the list of transactions', () => {
  const app = useSharedApp();
  let all: string[];

  beforeAll(async () => {
    all = [];
    for (let n = 0; n < 7; n += 1) all.push((await addOne(app.client)).id);
  });

  it('given several transactions, returns all in id order, which is their order in time, with their number', async () => {
    const list = await app.client.get('/transactions');
    expect([list.status, list.header('x-total-count'), list.hasHeader('link')]).toEqual([200, '7', false]);
    expect(ids(list)).toEqual(all);
    expect(list.json<Transaction[]>().map(({ state }) => state)).toEqual(Array<string>(7).fill('committed'));
  });

  it.each([1, 2, 3, 7, 1_000])(
    'given a limit of %d, returns each transaction once over the Link pages',
    async (limit) => {
      const found: string[] = [];
      for (let at: string | undefined = `/transactions?state=committed&limit=${String(limit)}`; at !== undefined;) {
        const page: Answer = await app.client.get(at);
        found.push(...ids(page));
        at = /^<([^>]+)>; rel="next"$/.exec(page.header('link'))?.[1];
      }
      expect(found).toEqual(all);
    },
  );

  it('given after, returns only later transactions', async () => {
    expect(ids(await app.client.get(`/transactions?after=${all[4]!}`))).toEqual(all.slice(5));
    expect((await app.client.get('/transactions?after=ffffffff-ffff-ffff-ffff-ffffffffffff')).text).toBe('[]');
  });

  it.each(['preparing', 'in-doubt', 'unmatched', 'committing', 'aborting', 'aborted'])(
    'given the state %s, returns an empty list when no transaction has that state',
    async (state) => {
      const list = await app.client.get(`/transactions?state=${state}`);
      expect([list.status, list.text, list.header('x-total-count')]).toEqual([200, '[]', '0']);
    },
  );

  it.each([
    ['state', 'state=done'],
    ['state', 'state='],
    ['state', 'state=Committed'],
    ['state', 'state=committed&state=aborted'],
    ['limit', 'limit=0'],
    ['limit', 'limit=1001'],
    ['limit', 'limit=many'],
    ['after', 'after='],
    ['after', 'after=7'],
    ['after', `after=${UNKNOWN.toUpperCase()}`],
  ])('given a wrong %s as in ?%s, answers 400 and names it', async (field, query) => {
    (await app.client.get(`/transactions?${query}`)).problem(400, field);
  });
});

describe('POST /transactions/recover', () => {
  const app = useSharedApp();
  const NOTHING = { committed: [], aborted: [], unmatched: [], failed: [] };

  it('given nothing in doubt, reports nothing to do, however often it is called', async () => {
    await addOne(app.client);
    const key = { 'idempotency-key': newKey() };
    for (const headers of [{}, key, key]) {
      const recovered = await app.client.post('/transactions/recover', undefined, headers);
      expect([recovered.status, recovered.json()]).toEqual([200, NOTHING]);
    }
  });

  it.each<[string, unknown]>([
    ['an empty object', {}],
    ['what the server owns', { id: 7 }],
  ])('given %s, recovers as without a body', async (_title, body) => {
    const recovered = await app.client.post('/transactions/recover', body);
    expect([recovered.status, recovered.json()]).toEqual([200, NOTHING]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['a field', { force: true }, ['force']],
    ['several fields', { decision: 'abort', ...WHY }, ['decision', 'reason']],
    ['an array', [], ['body']],
    ['null', null, ['body']],
    ['a text', 'now', ['body']],
  ])('given %s, refuses the field by its name', async (_title, body, fields) => {
    (await app.client.post('/transactions/recover', body)).problem(400, ...fields);
  });

  it('creates no operation, because the call is not a recorded write', async () => {
    const recovered = await app.client.post('/transactions/recover');
    expect([recovered.hasHeader('x-operation-id'), recovered.hasHeader('idempotency-replayed')]).toEqual([
      false,
      false,
    ]);
  });

  it('given transactions in progress, leaves them alone', async () => {
    const writes = Array.from({ length: 50 }, () => addOne(app.client));
    const recoveries = Array.from({ length: 10 }, () => app.client.post('/transactions/recover'));
    expect((await Promise.all(recoveries)).map(({ status }) => status)).toEqual(Array<number>(10).fill(200));
    expect((await Promise.all(writes)).map(({ answer }) => answer.status)).toEqual(Array<number>(50).fill(201));
    expect((await app.client.get('/transactions?state=aborted')).text).toBe('[]');
  });
});

describe('POST /transactions/{id}/resolve', () => {
  const app = useSharedApp();
  const resolve = (id: string, body: unknown): Promise<Answer> => {
    return app.client.post(`/transactions/${id}/resolve`, body);
  };

  it.each<[string, unknown, readonly string[]]>([
    ['nothing', undefined, ['decision', 'reason']],
    ['no reason', { decision: 'abort' }, ['reason']],
    ['a blank reason', { decision: 'abort', reason: ' \n' }, ['reason']],
    ['a reason of 501 characters', { decision: 'abort', reason: 'x'.repeat(501) }, ['reason']],
    ['an unknown decision', { decision: 'committed', ...WHY }, ['decision']],
    ['a field it does not know', { decision: 'abort', ...WHY, by: 'me' }, ['by']],
    ['an array', [], ['body']],
    ['null', null, ['body']],
  ])('given %s, refuses the field by its name', async (_title, body, fields) => {
    const { id } = await addOne(app.client);
    (await resolve(id, body)).problem(400, ...fields);
  });

  it('given an unknown transaction, answers 404', async () => {
    expect((await resolve(UNKNOWN, { decision: 'abort', ...WHY })).problem(404).code).toBe('not-found');
  });

  it('given a decision against a durable one, refuses it and changes nothing', async () => {
    const { id } = await addOne(app.client);
    const before = await app.client.get(`/transactions/${id}`);
    expect((await resolve(id, { decision: 'abort', ...WHY })).problem(409).code).toBe('conflict');
    expect((await app.client.get(`/transactions/${id}`)).text).toBe(before.text);
  });

  it('given the decision that is already durable, confirms it', async () => {
    const { id } = await addOne(app.client);
    const resolved = await resolve(id, { decision: 'commit', reason: 'x'.repeat(500) });
    expect([resolved.status, resolved.json<Transaction>().state]).toEqual([200, 'committed']);
  });
});

describe('with keys set', () => {
  const KEYS = { read: 'r'.repeat(16), write: 'w'.repeat(16), operator: 'o'.repeat(16) };
  const app = useSharedApp({
    API_KEYS: `ann:read:${KEYS.read},bob:write:${KEYS.write},ops:operator:${KEYS.operator}`,
  });
  const as = (role: keyof typeof KEYS): Client => app.client.with({ 'x-api-key': KEYS[role] });

  it('given any key, shows transactions, and only a key that may write creates one', async () => {
    const { id } = await addOne(as('write'));
    for (const role of ['read', 'write', 'operator'] as const) {
      expect((await as(role).get(`/transactions/${id}`)).status).toBe(200);
      expect((await as(role).get('/transactions')).status).toBe(200);
    }
    (await as('read').post('/books-2pc', BOOK.input)).problem(403);
    (await app.client.get('/transactions')).problem(401);
    (await app.client.post('/books-2pc', BOOK.input)).problem(401);
  });

  it("given any key but an operator's, refuses to recover and to resolve", async () => {
    const { id } = await addOne(as('write'));
    for (const path of ['/transactions/recover', `/transactions/${id}/resolve`]) {
      const body = path.endsWith('resolve') ? { decision: 'commit', ...WHY } : undefined;
      (await app.client.post(path, body)).problem(401);
      for (const role of ['read', 'write'] as const) {
        expect((await as(role).post(path, body)).problem(403).code).toBe('forbidden');
      }
      expect((await as('operator').post(path, body)).status).toBe(200);
    }
  });
});
