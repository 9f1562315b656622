import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { type Answer, Client, newKey } from './support/client.js';
import { BOOK, CUSTOMER, RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

describe('an operation', () => {
  const app = useSharedApp();

  it.each(RESOURCES)('given any write on a $name, can be read by its id', async ({ path, input, changed }) => {
    const created = await app.client.post(path, input);
    const at = created.header('location');
    const replaced = await app.client.put(at, changed, { 'idempotency-key': newKey() });
    const deleted = await app.client.delete(at);
    const expected = [
      [created, 201, created.json()],
      [replaced, 200, replaced.json()],
      [deleted, 204, null],
    ] as const;
    for (const [answer, status, body] of expected) {
      const id = answer.header('x-operation-id');
      const operation = await app.client.get(`/operations/${id}`);
      expect(operation.status).toBe(200);
      expect(operation.json()).toEqual({
        operationId: id,
        state: 'committed',
        confirmed: true,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        answer: { status, body, headers: expect.anything() },
      });
      const { headers } = operation.json<{ answer: { headers: Record<string, string> } }>().answer;
      for (const name of ['etag', 'location', 'x-commit', 'x-replicas-acked']) {
        expect([name, headers[name] ?? '']).toEqual([name, answer.header(name)]);
      }
    }
  });

  it('given a replayed answer, is the first one', async () => {
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.post(BOOK.path, BOOK.input, key);
    const replay = await app.client.post(BOOK.path, BOOK.input, key);
    expect(replay.header('x-operation-id')).toBe(first.header('x-operation-id'));
  });

  it('given a refused write or a read, does not exist', async () => {
    const answers = [await app.client.post(BOOK.path, {}), await app.client.get(BOOK.path)];
    expect(answers.map((answer) => answer.hasHeader('x-operation-id'))).toEqual([false, false]);
  });

  it.each(['nope', '0', '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77', 'x'.repeat(1_024), '%00', '__proto__', `'--`])(
    'given the id %s, which no write has, is unknown',
    async (id) => {
      expect((await app.client.get(`/operations/${id}`)).problem(404).code).toBe('not-found');
    },
  );
});

describe('a write on customers', () => {
  const app = useSharedApp();

  it.each([undefined, 'all', 'majority', 'primary'])(
    'given the write concern %s, reports its log position and replicas',
    async (concern) => {
      const headers = concern === undefined ? {} : { 'x-write-concern': concern };
      const created = await app.client.post(CUSTOMER.path, CUSTOMER.input, headers);
      const at = created.header('location');
      const answers = [
        created,
        await app.client.put(at, CUSTOMER.changed, headers),
        await app.client.delete(at, headers),
      ];
      expect(answers.map(({ status }) => status)).toEqual([201, 200, 204]);
      const commits = answers.map((answer) => /^(\d+)\.(\d+)$/.exec(answer.header('x-commit'))?.slice(1).map(Number));
      const [epoch, seq] = commits[0]!;
      expect(commits).toEqual([0, 1, 2].map((later) => [epoch, seq! + later]));
      expect(answers.map((answer) => answer.header('x-replicas-acked'))).toEqual(['0/0', '0/0', '0/0']);
    },
  );

  it.each(['', 'ALL', 'none', '2', 'all, primary', 'all '.repeat(100)])(
    'given the write concern %j, is refused by name and not carried out',
    async (concern) => {
      const at = await app.client.add(CUSTOMER.path, CUSTOMER.input);
      const before = await app.client.get('/customers?limit=1000');
      const headers = { 'x-write-concern': concern };
      (await app.client.post(CUSTOMER.path, CUSTOMER.input, headers)).problem(400, 'X-Write-Concern');
      (await app.client.put(at, CUSTOMER.changed, headers)).problem(400, 'X-Write-Concern');
      (await app.client.delete(at, headers)).problem(400, 'X-Write-Concern');
      expect((await app.client.get('/customers?limit=1000')).text).toBe(before.text);
    },
  );
});

describe('answers with an Idempotency-Key, after a restart', () => {
  const directory = temporaryDirectory();
  let app: AppProcess;
  const writes: { readonly send: (client: Client) => Promise<Answer>; readonly first: Answer }[] = [];

  async function record(send: (client: Client) => Promise<Answer>): Promise<Answer> {
    const first = await send(new Client(app.url));
    writes.push({ send, first });
    return first;
  }

  beforeAll(async () => {
    app = await AppProcess.start(directory);
    for (const { path, input, changed } of RESOURCES) {
      const key = { 'idempotency-key': newKey() };
      const created = await record((client) => client.post(path, input, key));
      const at = created.header('location');
      const guarded = { ...key, 'if-match': created.header('etag') };
      await record((client) => client.put(at, changed, guarded));
      await record((client) => client.delete(at, key));
    }
  });
  afterAll(async () => {
    await app.stop();
    removeDirectory(directory);
  });

  it.each([
    ['after kill -9', () => app.kill()],
    ['after a clean stop', () => app.stop()],
    ['after kill -9 once more', () => app.kill()],
  ])('given %s, are replayed', async (_title, end) => {
    await end();
    app = await AppProcess.start(directory);
    const client = new Client(app.url);
    expect(writes.map(({ first }) => first.status)).toEqual([201, 200, 204, 201, 200, 204]);
    for (const { send, first } of writes) {
      const replay = await send(client);
      expect(replay.header('idempotency-replayed')).toBe('true');
      expect([replay.status, replay.text]).toEqual([first.status, first.text]);
      for (const name of ['location', 'etag', 'x-operation-id', 'x-commit']) {
        expect([name, replay.header(name)]).toEqual([name, first.header(name)]);
      }
      expect((await client.get(`/operations/${first.header('x-operation-id')}`)).status).toBe(200);
    }
    expect((await client.get('/books')).text).toBe('[]');
    expect((await client.get('/customers')).text).toBe('[]');
  });
});

describe('a customer', () => {
  it('given a later incarnation, have a higher commit position', async () => {
    const directory = temporaryDirectory();
    const places: number[][] = [];
    for (let life = 1; life <= 2; life += 1) {
      const app = await AppProcess.start(directory);
      const created = await new Client(app.url).post(CUSTOMER.path, CUSTOMER.input);
      places.push(created.header('x-commit').split('.').map(Number));
      await app.kill();
    }
    const [before, after] = places;
    expect([after![0]! > before![0]!, after![1]! > before![1]!]).toEqual([true, true]);
    removeDirectory(directory);
  });
});
