import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Answer, Asking } from './support/client.js';
import { useSharedReplica } from './support/shared-replica.js';

interface Group {
  readonly groupId: string;
  readonly nodeId: string;
}

const replica = useSharedReplica();
const nodeId = (): string => `127.0.0.1:${String(replica.process.port)}`;
const newGroup = (): string => `group-${randomUUID()}`;
const pathOf = (groupId: string): string => `/v1/group/${encodeURIComponent(groupId)}`;

const create = (groupId: unknown, headers = {}): Promise<Answer> =>
  replica.client.post('/v1/group', { groupId }, headers);
const remove = (groupId: unknown, headers = {}): Promise<Answer> =>
  replica.client.send('DELETE', '/v1/group', { json: { groupId }, headers });
const listed = async (): Promise<string[]> =>
  (await replica.client.get('/v1/groups')).json<{ groups: Group[] }>().groups.map(({ groupId }) => groupId);

const LONGEST = 'x'.repeat(255);
const EMOJI = '\u{1f98a}'.repeat(255);

describe('the groups of a node', () => {
  it('given no group, are an empty list with the name of the node', async () => {
    await replica.client.delete('/v1/groups');
    const answer = await replica.client.get('/v1/groups');
    expect([answer.status, answer.json()]).toEqual([200, { nodeId: nodeId(), groups: [] }]);
  });

  it('given a create, are answered 201 with a Location, and the group is found there', async () => {
    const groupId = newGroup();
    const created = await create(groupId);
    expect([created.status, created.json()]).toEqual([201, { groupId, nodeId: nodeId() }]);
    expect(created.header('location')).toBe(`/v1/group/${groupId}`);
    const read = await replica.client.get(created.header('location'));
    expect([read.status, read.json()]).toEqual([200, { groupId, nodeId: nodeId() }]);
  });

  it('given a second create, are answered 400 and unchanged', async () => {
    const groupId = newGroup();
    await create(groupId);
    expect((await create(groupId)).problem(400)).toMatchObject({ code: 'exists' });
    expect((await replica.client.get(pathOf(groupId))).status).toBe(200);
  });

  it('given a list, all have the name of the node and are in order', async () => {
    const ids = [newGroup(), newGroup(), newGroup()];
    for (const groupId of ids) await create(groupId);
    const { groups } = (await replica.client.get('/v1/groups')).json<{ groups: Group[] }>();
    expect(groups).toEqual(expect.arrayContaining(ids.map((groupId) => ({ groupId, nodeId: nodeId() }))));
    expect(groups.map(({ groupId }) => groupId)).toEqual(groups.map(({ groupId }) => groupId).sort());
  });

  it('given a delete by body, are answered 200 with a message, and the group is gone', async () => {
    const groupId = newGroup();
    await create(groupId);
    const deleted = await remove(groupId);
    expect([deleted.status, deleted.json()]).toEqual([200, { message: `group ${groupId} is deleted` }]);
    (await replica.client.get(pathOf(groupId))).problem(404);
    expect((await create(groupId)).status).toBe(201);
  });

  it('given an unknown group, are answered 404 to a read and to a delete', async () => {
    const groupId = newGroup();
    expect((await replica.client.get(pathOf(groupId))).problem(404).code).toBe('not-found');
    expect((await remove(groupId)).problem(404).code).toBe('not-found');
  });

  it.each([
    [1, '1 group is deleted'],
    [2, '2 groups are deleted'],
    [0, '0 groups are deleted'],
  ])('given a clear of %i groups, report their number and are gone', async (count, message) => {
    await replica.client.delete('/v1/groups');
    for (let n = 0; n < count; n += 1) await create(newGroup());
    const cleared = await replica.client.delete('/v1/groups');
    expect([cleared.status, cleared.json()]).toEqual([200, { message }]);
    expect(await listed()).toEqual([]);
  });

  it('given a clear whose body names a group, stay, because the request was meant for another path', async () => {
    const groupId = newGroup();
    await create(groupId);
    (await replica.client.send('DELETE', '/v1/groups', { json: { groupId } })).problem(400, 'groupId');
    expect(await listed()).toContain(groupId);
    expect((await replica.client.send('DELETE', '/v1/groups', { json: {} })).status).toBe(200);
  });

  it('given a trailing slash, answer the same', async () => {
    const groupId = newGroup();
    const created = await replica.client.post('/v1/group/', { groupId });
    expect(created.status).toBe(201);
    expect((await replica.client.get(`${pathOf(groupId)}/`)).json()).toEqual(created.json());
    expect((await replica.client.get('/v1/groups/')).text).toContain(groupId);
    expect((await replica.client.send('DELETE', '/v1/group/', { json: { groupId } })).status).toBe(200);
    expect((await replica.client.delete('/v1/groups/')).status).toBe(200);
  });

  it('given no id, are answered as no group', async () => {
    for (const path of ['/v1/group', '/v1/group/']) (await replica.client.get(path)).problem(405);
    (await replica.client.get('/v1/group//')).problem(404);
  });
});

describe('the body of a request about a group', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const sent = (json: unknown): Asking => ({ json });
  const raw = (body: string | Uint8Array): Asking => ({ body, headers: JSON_TYPE });

  it.each([
    ['missing', {}, ['groupId']],
    ['empty and called JSON', raw(''), ['groupId']],
    ['an object without the id', sent({}), ['groupId']],
    ['with a number', sent({ groupId: 1 }), ['groupId']],
    ['with null', sent({ groupId: null }), ['groupId']],
    ['with a list', sent({ groupId: ['1'] }), ['groupId']],
    ['with an empty id', sent({ groupId: '' }), ['groupId']],
    ['with 256 characters', sent({ groupId: `${LONGEST}x` }), ['groupId']],
    ['with 256 characters of two units each', sent({ groupId: `${EMOJI}\u{1f98a}` }), ['groupId']],
    ['with half a character', raw('{"groupId": "\\ud83e"}'), ['groupId']],
    ['with an unknown field', sent({ groupId: newGroup(), name: 'x' }), ['name']],
    ['with another case', sent({ groupID: newGroup() }), ['groupId', 'groupID']],
    ['with __proto__', raw(`{"groupId": "${newGroup()}", "__proto__": {}}`), ['__proto__']],
    ['with constructor', raw(`{"groupId": "${newGroup()}", "constructor": {}}`), ['constructor']],
    ['a list', sent([{ groupId: newGroup() }]), ['body']],
    ['null', raw('null'), ['body']],
    ['a string', sent('1'), ['body']],
    ['not JSON', raw('{groupId: 1}'), []],
    ['cut off', raw('{"groupId": "1'), []],
    ['not UTF-8', raw(Uint8Array.of(0x22, 0xff, 0x22)), []],
  ] as const)(
    'given %s, is refused with 400 on create and delete, and the field is named',
    async (_what, asking, fields) => {
      const before = await listed();
      for (const method of ['POST', 'DELETE']) {
        const problem = (await replica.client.send(method, '/v1/group', asking)).problem(400, ...fields);
        expect(problem).toMatchObject({ message: problem.detail });
      }
      expect(await listed()).toEqual(before);
    },
  );

  it('given a nodeId, is accepted and the nodeId is ignored', async () => {
    const groupId = newGroup();
    const created = await replica.client.post('/v1/group', { groupId, nodeId: 'elsewhere:1' });
    expect([created.status, created.json()]).toEqual([201, { groupId, nodeId: nodeId() }]);
    const deleted = await replica.client.send('DELETE', '/v1/group', { json: { groupId, nodeId: 7 } });
    expect(deleted.status).toBe(200);
  });
});

describe('the id of a group', () => {
  it.each([
    ...['1', ' ', ' a ', 'a b', '/', 'a/b/', '//', '%', '%2F', '100%41', '%25', '?x=1#y', 'a;b', ':groupId', '*', '+'],
    ...[
      '...',
      '.a',
      'a.',
      '__proto__',
      'constructor',
      'null',
      '"',
      '\\',
      '\n',
      '\u0000',
      '\u00e9',
      'e\u0301',
      '\u4e2d',
    ],
    ...['\u{1f98a}', '\u202e', LONGEST, '/'.repeat(255), '\u4e2d'.repeat(255), EMOJI],
  ])('given %j, can be created, read at its Location, listed and deleted', async (groupId) => {
    const created = await create(groupId);
    expect([created.status, created.json()]).toEqual([201, { groupId, nodeId: nodeId() }]);
    const read = await replica.client.get(created.header('location'));
    expect([read.status, read.json()]).toEqual([200, { groupId, nodeId: nodeId() }]);
    expect((await listed()).filter((id) => id === groupId)).toHaveLength(1);
    expect((await create(groupId)).status).toBe(400);
    expect((await remove(groupId)).status).toBe(200);
    (await replica.client.get(pathOf(groupId))).problem(404);
  });

  it.each(['.', '..'])(
    'given %j, which no client could read by its path, is refused with 400 and the field is named',
    async (groupId) => {
      (await create(groupId)).problem(400, 'groupId');
      (await create(groupId, { 'x-operation-id': randomUUID() })).problem(400, 'groupId');
      expect(await listed()).not.toContain(groupId);
    },
  );

  it.each(['.', '..'])('given %j, which earlier builds accepted, can be undone and deleted', async (groupId) => {
    const id = randomUUID();
    (await remove(groupId)).problem(404);
    expect((await remove(groupId, { 'x-undo': id })).json()).toMatchObject({ groupId, present: false });
    expect((await create(groupId, { 'x-undo': randomUUID() })).json()).toMatchObject({ groupId, present: false });
  });

  it('given in another case or form, is another group', async () => {
    for (const groupId of ['A', 'a', '\u00c5', 'A\u030a']) expect((await create(groupId)).status).toBe(201);
    for (const groupId of ['A', 'a', '\u00c5', 'A\u030a']) expect((await remove(groupId)).status).toBe(200);
  });

  it('given longer than the limit, is answered 404', async () => {
    (await replica.client.get(pathOf('x'.repeat(256)))).problem(404);
    (await replica.client.get(pathOf('x'.repeat(1_024)))).problem(404);
  });
});
