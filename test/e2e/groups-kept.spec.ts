import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { GENESIS } from '../../src/kernel/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import type { ReplicaProcess } from '../support/replica-process.js';
import { type Answer, Client } from './support/client.js';
import { startReplica, useSharedReplica } from './support/shared-replica.js';

const READING = 'r'.repeat(16);
const WRITING = 'w'.repeat(16);
/** As pino has them. */
const LEVELS = { info: 30, warn: 40 };

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly requestId: string;
  readonly operation: string;
  readonly operationId?: string;
  readonly groupId?: string;
  readonly node: string;
  readonly outcome: string;
  readonly cause?: string;
}

describe('at a node that keeps three operation ids or keys per caller', () => {
  let directory: string;
  let replica: ReplicaProcess;
  const keys = { API_KEYS: `one:write:${'1'.repeat(16)},two:write:${'2'.repeat(16)}`, IDEMPOTENCY_KEYS: '3' };
  const as = (digit: string): Client => new Client(replica.url, { 'x-api-key': digit.repeat(16) });
  const create = async (client: Client, groupId: string, named: object = {}): Promise<number> =>
    (await client.post('/v1/group', { groupId }, { ...named })).status;

  beforeEach(async () => {
    directory = temporaryDirectory();
    replica = await startReplica(directory, keys);
  });

  afterEach(async () => {
    await replica.kill();
    removeDirectory(directory);
  });

  it('given a fourth, answers 429 even after a restart, but accepts known ones, undos, requests without ids, and other callers', async () => {
    const named = [{ 'idempotency-key': 'k' }, { 'x-operation-id': 'first' }, { 'x-operation-id': 'second' }];
    for (const [n, each] of named.entries()) expect(await create(as('1'), `g${String(n)}`, each)).toBe(201);
    for (const end of ['stop', 'kill', undefined] as const) {
      const refused = await as('1').post('/v1/group', { groupId: 'more' }, { 'x-operation-id': 'third' });
      expect(refused.problem(429).code).toBe('too-many-keys');
      expect(await create(as('1'), 'more', { 'idempotency-key': 'l' })).toBe(429);
      for (const [n, each] of named.entries()) expect(await create(as('1'), `g${String(n)}`, each)).toBe(201);
      expect(await create(as('1'), `unnamed ${String(end)}`)).toBe(201);
      const undo = { json: { groupId: 'more' }, headers: { 'x-undo': `never came ${String(end)}` } };
      expect((await as('1').send('DELETE', '/v1/group', undo)).status).toBe(200);
      if (end === undefined) break;
      await replica[end]();
      await replica.start();
    }
    expect(await create(as('2'), 'of another', { 'x-operation-id': 'third' })).toBe(201);
  });

  it('given a fourth undo of an unknown operation, answers 429 even after a restart, but accepts undos of known operations and other callers', async () => {
    const undo = (client: Client, id: string, groupId = 'more'): Promise<Answer> =>
      client.send('DELETE', '/v1/group', { json: { groupId }, headers: { 'x-undo': id } });
    expect(await create(as('1'), 'known', { 'x-operation-id': 'known' })).toBe(201);
    for (const id of ['a', 'b', 'c']) expect((await undo(as('1'), id)).status).toBe(200);
    for (const end of ['stop', 'kill', undefined] as const) {
      const refused = await undo(as('1'), 'd');
      expect(refused.problem(429)).toMatchObject({
        code: 'too-many-keys',
        detail: expect.stringContaining('nothing was undone'),
      });
      expect((await undo(as('1'), 'a')).status).toBe(200);
      expect(await create(as('1'), 'known', { 'x-operation-id': `named ${String(end)}` })).toBe(
        end === undefined ? 429 : 400,
      );
      if (end === undefined) break;
      await replica[end]();
      await replica.start();
    }
    expect((await undo(as('1'), 'known', 'known')).status).toBe(200);
    expect((await undo(as('2'), 'd')).status).toBe(200);
  });
});

describe('the groups of a node that is killed and restarted', () => {
  let directory: string;
  let replica: ReplicaProcess;
  let client: Client;

  beforeEach(async () => {
    directory = temporaryDirectory();
    replica = await startReplica(directory);
    client = new Client(replica.url);
  });

  afterEach(async () => {
    await replica.kill();
    removeDirectory(directory);
  });

  it.each(['kill', 'stop'] as const)('given %s, are all present with their versions and marks', async (end) => {
    const versioned = { 'x-operation-id': 'create-kept', 'x-group-version': '500' };
    await client.post('/v1/group', { groupId: 'kept' }, versioned);
    await client.post('/v1/group', { groupId: 'gone' });
    await client.send('DELETE', '/v1/group', { json: { groupId: 'gone' } });
    await client.send('DELETE', '/v1/group', { json: { groupId: 'late' }, headers: { 'x-undo': 'create-late' } });
    (await client.post('/v1/group', { groupId: 'kept' }, { 'x-operation-id': 'refused' })).problem(400);
    await client.post('/v1/group', { groupId: 'keyed' }, { 'idempotency-key': 'key' });
    const before = (await client.get('/v1/groups')).json();
    await replica[end]();
    await replica.start();

    expect((await client.get('/v1/groups')).json()).toEqual(before);
    const repeated = await client.post('/v1/group', { groupId: 'kept' }, { 'x-operation-id': 'create-kept' });
    expect([repeated.status, repeated.header('x-group-version')]).toEqual([201, '500']);
    const next = await client.post('/v1/group', { groupId: 'next' }, { 'x-operation-id': 'create-next' });
    expect(Number(next.header('x-group-version'))).toBeGreaterThan(500);
    const late = await client.post('/v1/group', { groupId: 'late' }, { 'x-operation-id': 'create-late' });
    expect(late.problem(409).code).toBe('undone');
    await client.send('DELETE', '/v1/group', { json: { groupId: 'kept' } });
    (await client.post('/v1/group', { groupId: 'kept' }, { 'x-operation-id': 'refused' })).problem(400);
    const replayed = await client.post('/v1/group', { groupId: 'keyed' }, { 'idempotency-key': 'key' });
    expect([replayed.status, replayed.header('idempotency-replayed')]).toEqual([201, 'true']);
  });

  it('given data of an earlier version, still replay the Idempotency-Keys that it recorded', async () => {
    await replica.stop();
    const made = { id: 'key\u2192k', kind: 'create', groupId: 'made', version: 1, at: Date.now() };
    const body = `{"_meta":{"format":1,"counter":1,"position":${JSON.stringify(GENESIS)}},"operations":[
${JSON.stringify({ ...made, isRefused: false, found: false, isUndone: false })}
]`;
    const groups = join(directory, 'replicas', String(replica.port), 'groups');
    rmSync(groups, { recursive: true });
    mkdirSync(groups);
    const checksum = crc32(body).toString(16).padStart(8, '0');
    writeFileSync(join(groups, 'groups.json'), `${body},"_checksum":"${checksum}"}\n`);
    await replica.start();

    const key = { 'idempotency-key': 'k' };
    const again = await client.post('/v1/group', { groupId: 'made' }, key);
    expect([again.status, again.header('idempotency-replayed')]).toEqual([201, 'true']);
    (await client.post('/v1/group', { groupId: 'other' }, key)).problem(422);
    const removed = await client.send('DELETE', '/v1/group', { json: { groupId: 'made' }, headers: key });
    expect([removed.status, removed.header('idempotency-replayed')]).toEqual([200, '']);
  });

  it('given kill -9 in the middle of writes, include every create answered 201', async () => {
    const told: string[] = [];
    let isKilled = false;
    const writers = Array.from({ length: 10 }, async (_none, writer) => {
      for (let n = 0; !isKilled; n += 1) {
        const groupId = `${String(writer)}-${String(n)}`;
        const answer = await client.post('/v1/group', { groupId }).catch(() => undefined);
        if (answer?.status === 201) told.push(groupId);
      }
    });
    await eventually(() => {
      expect(told.length).toBeGreaterThan(200);
    });
    await replica.kill();
    isKilled = true;
    await Promise.all(writers);
    await replica.start();
    const { groups } = (await client.get('/v1/groups')).json<{ groups: { groupId: string }[] }>();
    const kept = new Set(groups.map(({ groupId }) => groupId));
    expect(told.filter((groupId) => !kept.has(groupId))).toEqual([]);
  });
});

describe('the groups of a node with API keys', () => {
  const replica = useSharedReplica({ API_KEYS: `ann:read:${READING},bob:write:${WRITING}` });
  const WRITES = [
    ['POST', '/v1/group', { groupId: 'guarded' }],
    ['DELETE', '/v1/group', { groupId: 'guarded' }],
    ['DELETE', '/v1/groups', undefined],
  ] as const;

  it('given no key, are answered 401, with the operation id', async () => {
    for (const path of ['/v1/groups', '/v1/group/guarded', '/v1/nothing']) {
      expect((await replica.client.get(path)).problem(401)).toHaveProperty('message');
    }
    for (const [method, path, json] of WRITES) {
      const refused = await replica.client.send(method, path, { json, headers: { 'x-operation-id': 'mine' } });
      expect([refused.problem(401).code, refused.header('x-operation-id')]).toEqual(['unauthorized', 'mine']);
    }
  });

  it('given a read key, are readable, and writes are answered 403', async () => {
    const reader = replica.client.with({ 'x-api-key': READING });
    expect((await reader.get('/v1/groups')).status).toBe(200);
    for (const [method, path, json] of WRITES) {
      const problem = (await reader.send(method, path, { json })).problem(403);
      expect(problem).toMatchObject({ message: problem.detail });
    }
  });

  it('given a write key, are writable', async () => {
    const writer = replica.client.with({ authorization: `Bearer ${WRITING}` });
    for (const [method, path, json] of WRITES) {
      expect((await writer.send(method, path, { json })).status).toBe(method === 'POST' ? 201 : 200);
    }
  });
});

describe('the metrics of a node', () => {
  const replica = useSharedReplica();

  it('report the number of its groups', async () => {
    await replica.client.post('/v1/group', { groupId: 'one' });
    await replica.client.post('/v1/group', { groupId: 'two' });
    await replica.client.send('DELETE', '/v1/group', { json: { groupId: 'one' } });
    expect((await replica.client.get('/metrics')).text).toMatch(/^replica_groups 1$/m);
    await replica.primary.ship();
    const { details } = (await replica.client.get('/health/ready')).json<{ details: object }>();
    expect(details).toMatchObject({ groups: { status: 'up', count: 1 } });
  });
});

describe('the log of a node', () => {
  const replica = useSharedReplica();
  const linesOf = (wanted: string): LogLine[] =>
    replica.process.printed
      .split('\n')
      .filter((line) => line.includes('"group operation') && line.includes(wanted))
      .map((line) => JSON.parse(line) as LogLine);

  it.each([
    ['POST', 'a create', 'info', 'create', 'done', {}],
    ['POST', 'a create of what is there', 'warn', 'create', 'exists', {}],
    ['DELETE', 'an undo', 'info', 'undo', 'undo-done', { 'x-undo': 'an-operation' }],
    ['DELETE', 'a delete', 'info', 'delete', 'done', {}],
    ['DELETE', 'a delete of nothing', 'warn', 'delete', 'not-found', {}],
  ] as const)('given %s, %s, contains one line: %s %s %s', async (method, what, level, operation, outcome, headers) => {
    const operationId = `log of ${what}`;
    const asking = { json: { groupId: 'logged' }, headers: { 'x-operation-id': operationId, ...headers } };
    const answer = await replica.client.send(method, '/v1/group', asking);
    const requestId = answer.header('x-request-id');
    await eventually(() => {
      expect(linesOf(requestId)).toHaveLength(1);
    });
    const refused = level === 'warn' && { cause: expect.stringContaining('logged') };
    expect(linesOf(requestId)[0]).toMatchObject({
      ...{ level: LEVELS[level], operation, outcome, groupId: 'logged', requestId, ...refused },
      ...{ operationId: operation === 'undo' ? 'an-operation' : operationId },
      node: `127.0.0.1:${String(replica.process.port)}`,
    });
  });

  it('given a refused body, contains one line with the reason', async () => {
    const headers = { 'x-operation-id': 'log of a bad body' };
    const answer = await replica.client.post('/v1/group', { groupId: 7 }, headers);
    const requestId = answer.header('x-request-id');
    await eventually(() => {
      expect(linesOf(requestId)).toHaveLength(1);
    });
    expect(linesOf(requestId)[0]).toMatchObject({
      ...{ level: LEVELS.warn, operation: 'create', operationId: 'log of a bad body', outcome: 'validation-failed' },
      cause: expect.stringContaining('groupId'),
    });
  });

  it('given reads, contains no line', async () => {
    const answers = [await replica.client.get('/v1/groups'), await replica.client.get('/v1/group/1')];
    await replica.client.post('/v1/group', { groupId: 'after the reads' });
    await eventually(() => {
      expect(linesOf('after the reads')).toHaveLength(1);
    });
    for (const answer of answers) expect(replica.process.printed).not.toContain(answer.header('x-request-id'));
  });
});
