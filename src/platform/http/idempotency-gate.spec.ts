import { beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { fastify, type FastifyInstance } from 'fastify';
import { eventually } from '../../../test/support/eventually.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { AppError, isAppError, type OperationRecord } from '../../kernel/index.js';
import { acceptedAnswer, type Answer } from './answer.js';
import { sendAnswer } from './answers.js';
import type { CommitConfirmer, Confirmation } from './commit-confirmation.js';
import { goesOnAfterAnswer, IdempotencyGate, operationOf } from './idempotency-gate.js';
import { useJsonBodies } from './json-body.js';
import { STATUS_OF } from './status.js';

interface Work {
  readonly finish: (answer: Answer) => void;
  readonly refuse: (error: AppError) => void;
}

const CREATED: Answer = { status: 201, headers: { location: '/things/1' }, body: '{"id":1}' };

/** Meets every concern at once, until a test says otherwise. */
let confirmation: Promise<Confirmation>;
const confirmer: CommitConfirmer = { admit: () => undefined, confirm: () => confirmation, isConfirmed: () => true };

const ANSWER_DEADLINE_MS = 2_000;
const MAX_KEYS = 20;
const DAY_MS = 24 * 3_600_000;

let server: FastifyInstance;
let timers: SimulatedTimers;
let clock: SimulatedClock;
let gate: IdempotencyGate;
/** Whom the keys of the writes counted for. */
let owners: string[];
/** By scope. */
let records: Map<string, OperationRecord<Answer>>;
/** Of what goes on after its answer; settled by the test. */
let ended: Promise<void>;
let end: () => void;
/** Puts what it did into the store. */
let recordSlow: () => void;
/** What the one route is doing, until the test says how it ends. */
let underWay: Work[];

beforeEach(async () => {
  records = new Map();
  owners = [];
  timers = new SimulatedTimers();
  clock = new SimulatedClock();
  ended = new Promise((resolve) => (end = resolve));
  underWay = [];
  confirmation = Promise.resolve({ isConfirmed: true, acked: 4, replicas: 4 });
  let operations = 0;
  server = fastify();
  server.decorateRequest('caller', 'anonymous');
  server.setErrorHandler((error, _request, reply) => {
    const code = isAppError(error) ? error.code : 'internal';
    void reply.code(STATUS_OF[code]).send({ code });
  });
  useJsonBodies(server);
  gate = new IdempotencyGate({
    ledgers: [
      {
        findByScope: (scope) => records.get(scope),
        findById: (id) => [...records.values()].find((record) => record.id === id),
      },
    ],
    hmacKey: new Uint8Array(32),
    newOperationId: () => `op-${String((operations += 1))}`,
    confirmer,
    timers,
    clock,
    answerDeadlineMs: ANSWER_DEADLINE_MS,
    keysPerCaller: MAX_KEYS,
    ...{ addedKeys: MAX_KEYS, isMadeHere: () => false, monotonicMs: () => 0 },
    isKeyAdded: ({ headers }) => headers['x-added'] === 'yes',
  });
  gate.install(server);
  server.post('/things', async (request, reply) => {
    const { id, scope, bodyHmac } = operationOf(request);
    const answer = await new Promise<Answer>((finish, refuse) => underWay.push({ finish, refuse }));
    if (scope !== undefined) records.set(scope, { id, bodyHmac, atMs: clock.nowMs(), answer });
    return sendAnswer(reply, answer);
  });
  server.put('/things/:name', (request, reply) => {
    const { id, scope = '', bodyHmac, owner = '' } = operationOf(request);
    owners.push(owner);
    records.set(scope, { id, bodyHmac, atMs: clock.nowMs(), answer: CREATED });
    return sendAnswer(reply, CREATED);
  });
  server.post('/slow-things', (request, reply) => {
    const { id, scope = '', bodyHmac } = operationOf(request);
    recordSlow = () => records.set(scope, { id, bodyHmac, atMs: clock.nowMs(), answer: CREATED });
    goesOnAfterAnswer(request, ended);
    return sendAnswer(reply, acceptedAnswer(id, 'running'));
  });
  server.post('/nowhere', (_request, reply) => {
    reply.callNotFound();
  });
  server.post('/orders', { config: { isUnrecorded: true } }, (_request, reply) => sendAnswer(reply, CREATED));
  await server.ready();
});

function post(
  key: string | undefined,
  body: unknown = { a: 1 },
  url = '/things',
): Promise<{ status: number; text: string; replayed: boolean }> {
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) };
  return server.inject({ method: 'POST', url, headers, payload: JSON.stringify(body) }).then((answer) => ({
    status: answer.statusCode,
    text: answer.payload,
    replayed: answer.headers['idempotency-replayed'] === 'true',
  }));
}

/** Waits until this many requests have reached the route. */
async function reached(count: number): Promise<Work[]> {
  return eventually(() => {
    expect(underWay).toHaveLength(count);
    return underWay;
  });
}

describe('the idempotency gate', () => {
  it('given a key while its first request is in progress, waits and gives the same answer', async () => {
    const first = post('k');
    const [work] = await reached(1);
    const others = [post('k'), post('k')];
    work?.finish(CREATED);
    expect(await first).toEqual({ status: 201, text: '{"id":1}', replayed: false });
    for (const other of others) expect(await other).toEqual({ status: 201, text: '{"id":1}', replayed: true });
    await reached(1);
  });

  it('given a key a day after its write, treats it as new, also with another body; before that, replays the answer', async () => {
    const first = post('k');
    (await reached(1))[0]?.finish(CREATED);
    await first;
    clock.advance(DAY_MS - 1);
    expect(await post('k')).toEqual({ status: 201, text: '{"id":1}', replayed: true });
    clock.advance(1);
    const second = post('k', { a: 2 });
    (await reached(2))[1]?.finish({ ...CREATED, body: '{"id":2}' });
    expect(await second).toEqual({ status: 201, text: '{"id":2}', replayed: false });
    expect(await post('k', { a: 2 })).toEqual({ status: 201, text: '{"id":2}', replayed: true });
  });

  it('given a key whose first request is then refused, lets the next one through, and the others wait for it', async () => {
    const first = post('k');
    const [work] = await reached(1);
    const others = [post('k'), post('k'), post('k')];
    // When it is answered, those before it are in the gate.
    await server.inject({ method: 'GET', url: '/' });
    work?.refuse(new AppError('conflict', 'busy', { retry: 'safe' }));
    expect((await first).status).toBe(409);
    const [, second] = await reached(2);
    second?.finish(CREATED);
    const answers = await Promise.all(others);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    await reached(2);
  });

  it('given a key for a route that then finds nothing, lets it be answered, and the next with the key as well', async () => {
    for (let time = 1; time <= 2; time += 1) expect((await post('k', {}, '/nowhere')).status).toBe(404);
  });

  it('given a key with another body while its first request is in progress, refuses at once', async () => {
    const first = post('k');
    const [work] = await reached(1);
    expect((await post('k', { a: 2 })).status).toBe(422);
    work?.finish(CREATED);
    expect((await first).status).toBe(201);
    expect((await post('k', { a: 2 })).status).toBe(422);
  });

  it('given the key of a replicated write, waits for its write concern like the first request', async () => {
    const replicated = { ...CREATED, headers: { ...CREATED.headers, 'x-commit': '1.7' } };
    const first = post('k');
    const [work] = await reached(1);
    work?.finish(replicated);
    await first;
    let confirm: (confirmation: Confirmation) => void = () => undefined;
    confirmation = new Promise((resolve) => (confirm = resolve));
    let isAnswered = false;
    const second = post('k').finally(() => (isAnswered = true));
    await server.inject({ method: 'GET', url: '/' });
    expect(isAnswered).toBe(false);
    confirm({ isConfirmed: true, acked: 4, replicas: 4 });
    expect(await second).toEqual({ status: 201, text: '{"id":1}', replayed: true });
    confirmation = Promise.resolve({ isConfirmed: false, acked: 1, replicas: 4 });
    expect(await post('k')).toEqual({
      status: 202,
      text: '{"operationId":"op-1","state":"committed"}',
      replayed: true,
    });
  });

  describe('given a key whose first request was answered before its work was over', () => {
    const RUNNING = { status: 202, text: '{"operationId":"op-1","state":"running"}' };
    const repeat = (body: unknown = { a: 1 }): ReturnType<typeof post> => post('k', body, '/slow-things');

    beforeEach(async () => {
      expect(await repeat()).toEqual({ ...RUNNING, replayed: false });
    });

    it('answers like the first request when the work is not over within the deadline', async () => {
      const second = repeat();
      await eventually(() => {
        expect(timers.pending).toBe(1);
      });
      timers.pass(ANSWER_DEADLINE_MS);
      expect(await second).toEqual({ ...RUNNING, replayed: true });
    });

    it('waits for the end and gives the recorded answer', async () => {
      const others = [repeat(), repeat()];
      await eventually(() => {
        expect(timers.pending).toBe(2);
      });
      recordSlow();
      end();
      for (const other of others) expect(await other).toEqual({ status: 201, text: '{"id":1}', replayed: true });
      expect(timers.pending).toBe(0);
    });

    it('is let through again when the work ended without a record', async () => {
      end();
      await ended;
      expect(await repeat()).toMatchObject({ text: '{"operationId":"op-2","state":"running"}', replayed: false });
    });

    it('refuses another body', async () => {
      expect((await repeat({ a: 2 })).status).toBe(422);
    });
  });

  it('given a route without records, names no operation', async () => {
    const answer = await server.inject({ method: 'POST', url: '/orders' });
    expect([answer.statusCode, answer.headers['x-operation-id']]).toEqual([201, undefined]);
  });

  const put = async (url: string): Promise<boolean> => {
    const answer = await server.inject({ method: 'PUT', url, headers: { 'idempotency-key': 'k' }, payload: '' });
    expect(answer.statusCode).toBe(201);
    return answer.headers['idempotency-replayed'] === 'true';
  };

  it.each(['/things/a%20b', '/things/%61%20%62', '/%74hings/a%20b?x=y', '/things/a%20b#top', 'http://x/things/a%20b'])(
    'given a key on %s after the same target in another spelling, replays the answer',
    async (url) => {
      expect(await put('/things/a b')).toBe(false);
      expect(await put(url)).toBe(true);
    },
  );

  it.each(['/things/a', '/things/A', '/things/a%2Fb', '/things/a%2520b'])(
    'given a key on %s after another target, treats it as new',
    async (url) => {
      expect(await put('/things/a%20b')).toBe(false);
      expect(await put(url)).toBe(false);
    },
  );

  it.each(['/things/2', '/things/%32', 'http://x/things/2'])(
    'given a key on %s that an earlier version recorded with the path as sent, replays its answer',
    async (url) => {
      await put('/things/first');
      const [record] = records.values();
      const earlier = createHash('sha256').update(JSON.stringify(['anonymous', 'PUT', '/things/2', 'k']));
      records.clear();
      records.set(earlier.digest('base64url'), record!);

      expect(await put(url)).toBe(true);
      expect(await put('/things/3')).toBe(false);
    },
  );

  describe('given a caller at its maximum of keys', () => {
    const done = async (
      key: string | undefined,
      from = '127.0.0.1',
      headers = {},
    ): Promise<readonly [number, string]> => {
      const all = { ...headers, ...(key !== undefined && { 'idempotency-key': key }) };
      const answer = await server.inject({ method: 'PUT', url: '/things/a', headers: all, remoteAddress: from });
      return [answer.statusCode, answer.headers['retry-after'] as string];
    };
    const fill = async (headers = {}): Promise<void> => {
      for (let n = 0; n < MAX_KEYS; n += 1)
        expect(await done(`k${String(n)}`, '127.0.0.1', headers)).toEqual([201, undefined]);
    };

    it('refuses a new key with 429, but serves replays, writes without a key and other callers', async () => {
      await fill();
      const refused = await server.inject({ method: 'PUT', url: '/things/a', headers: { 'idempotency-key': 'new' } });
      expect([refused.statusCode, refused.json()]).toEqual([429, { code: 'too-many-keys' }]);
      expect(
        [await done('k0'), await done(undefined), await done('new', '127.0.0.2')].map(([status]) => status),
      ).toEqual([201, 201, 201]);
      expect((await done('another'))[0]).toBe(429);
    });

    it('has room again a day after the oldest key, even after many refused requests', async () => {
      await fill();
      for (let hour = 0; hour < 24; hour += 1) {
        expect((await done('new'))[0]).toBe(429);
        clock.advance(DAY_MS / 24);
      }
      clock.advance(1_000);
      expect((await done('new'))[0]).toBe(201);
    });

    it('does not count keys that were refused for another reason', async () => {
      for (let n = 0; n < 2 * MAX_KEYS; n += 1) {
        const refused = post(`r${String(n)}`);
        (await reached(n + 1))[n]?.refuse(new AppError('not-found', 'no', { retry: 'never' }));
        expect((await refused).status).toBe(404);
      }
      expect((await done('new'))[0]).toBe(201);
    });

    it('lets no more through at once than there is room for', async () => {
      const all = Array.from({ length: 2 * MAX_KEYS }, (_, n) => post(`c${String(n)}`));
      await reached(MAX_KEYS);
      underWay.forEach(({ finish }) => finish(CREATED));
      expect((await Promise.all(all)).map(({ status }) => status).sort()).toEqual([
        ...Array<number>(MAX_KEYS).fill(201),
        ...Array<number>(MAX_KEYS).fill(429),
      ]);
    });

    it('lets keys that other processes added wait, and refuses with 503 when no room comes in time', async () => {
      await fill({ 'x-added': 'yes' });
      expect((await done('own'))[0]).toBe(201);
      const wait = (answer: Promise<readonly [number, string]>): Promise<number> => {
        let status: number | undefined;
        void answer.then(([given]) => (status = given));
        return eventually(() => {
          timers.pass(50);
          expect(status).toBeDefined();
          return status!;
        });
      };
      expect(await wait(done('added', '127.0.0.1', { 'x-added': 'yes' }))).toBe(503);

      const inTime = done('added', '127.0.0.1', { 'x-added': 'yes' });
      await eventually(() => {
        expect(timers.pending).toBe(1);
      });
      clock.advance(121_000);
      expect(await wait(inTime)).toBe(201);
    });

    it('counts the keys of earlier incarnations', async () => {
      const [first] = await Promise.all([done('k0')]);
      expect(first[0]).toBe(201);
      const owner = owners.at(-1)!;
      await gate.count([{ owner, atMs: clock.nowMs(), count: MAX_KEYS - 1 }], setImmediate);
      expect((await done('new'))[0]).toBe(429);
    });
  });

  it('given no key or different keys, delays no request', async () => {
    const posts = [post(undefined), post(undefined), post('k'), post('l')];
    for (const work of await reached(4)) work.finish(CREATED);
    expect((await Promise.all(posts)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  });

  it('given an unknown or known outcome, names the operation', async () => {
    const endings = [
      (work: Work) => {
        work.refuse(new AppError('outcome-unknown', 'the disk is gone', { retry: 'unknown' }));
      },
      (work: Work) => {
        work.refuse(new AppError('conflict', 'busy', { retry: 'safe' }));
      },
      (work: Work) => {
        work.finish(CREATED);
      },
    ];
    const answers = endings.map(() => server.inject({ method: 'POST', url: '/things' }).then((answer) => answer));
    (await reached(3)).forEach((work, n) => endings[n]?.(work));
    const named = (await Promise.all(answers)).map(({ statusCode, headers }) => [
      statusCode,
      headers['x-operation-id'],
    ]);
    expect(named).toEqual([
      [504, 'op-1'],
      [409, undefined],
      [201, 'op-3'],
    ]);
  });

  it.each(['', 'x'.repeat(256), 'a\u0001', 'ä'])('given the key %j, refuses it', async (key) => {
    expect(await post(key)).toMatchObject({ status: 400, text: '{"code":"validation-failed"}' });
  });
});
