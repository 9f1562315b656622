import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Answer } from './support/client.js';
import { useSharedReplica } from './support/shared-replica.js';

const replica = useSharedReplica();
const newGroup = (): string => `group-${randomUUID()}`;
const newId = (): string => `operation-${randomUUID()}`;

type Headers = Readonly<Record<string, string>>;
const create = (groupId: string, headers: Headers = {}): Promise<Answer> =>
  replica.client.post('/v1/group', { groupId }, headers);
const remove = (groupId: string, headers: Headers = {}): Promise<Answer> =>
  replica.client.send('DELETE', '/v1/group', { json: { groupId }, headers });
const clear = (headers: Headers = {}): Promise<Answer> => replica.client.delete('/v1/groups', headers);
const isThere = async (groupId: string): Promise<boolean> =>
  (await replica.client.get(`/v1/group/${groupId}`)).status === 200;
const versionOf = (answer: Answer): number => Number(answer.header('x-group-version'));
const shown = ({ status, text }: Answer): readonly [number, string] => [status, text];

describe('the X-Operation-Id of a request to a node', () => {
  it('given an id, returns it in every answer, success or refusal', async () => {
    const [groupId, id] = [newGroup(), newId()];
    const named = { 'x-operation-id': id };
    const answers = [
      [201, await create(groupId, named)],
      [200, await replica.client.get('/v1/groups', named)],
      [200, await replica.client.get(`/v1/group/${groupId}`, named)],
      [404, await replica.client.get('/v1/group/none', named)],
      [422, await create(newGroup(), named)],
      [400, await create('', named)],
      [400, await replica.client.send('DELETE', '/v1/group', { body: '{', headers: json(named) })],
      [415, await replica.client.send('POST', '/v1/group', { body: 'x', headers: named })],
      [413, await create('x'.repeat(1024 * 1024), named)],
      [403, await create(newGroup(), { ...named, 'sec-fetch-site': 'cross-site' })],
    ] as const;
    for (const [status, answer] of answers) {
      expect([status, answer.status, answer.header('x-operation-id')]).toEqual([status, status, id]);
    }
  });

  it('given no id, returns none', async () => {
    const answer = await create(newGroup());
    expect([answer.hasHeader('x-operation-id'), answer.hasHeader('x-group-version')]).toEqual([false, false]);
  });

  it.each([
    ['X-Operation-Id', ''],
    ['X-Operation-Id', 'x'.repeat(256)],
    ['X-Operation-Id', '\u00e9'],
    ['X-Undo', ''],
    ['X-Undo', 'x'.repeat(256)],
    ['Idempotency-Key', '\u00e9'],
    ['Idempotency-Key', 'x'.repeat(256)],
  ])('given %s: %j, answers 400 and changes nothing', async (name, value) => {
    const groupId = newGroup();
    (await create(groupId, { [name]: value })).problem(400, name);
    expect(await isThere(groupId)).toBe(false);
  });

  it.each(['!', 'a b', '~'.repeat(255), '__proto__'])('given %j, accepts it', async (id) => {
    const groupId = newGroup();
    const created = await create(groupId, { 'x-operation-id': id });
    expect([created.status, created.header('x-operation-id')]).toEqual([201, id]);
    expect((await replica.client.delete('/v1/groups', { 'x-undo': id })).problem(422).code).toBeDefined();
    expect((await remove(groupId, { 'x-undo': id })).json()).toMatchObject({ present: false });
  });
});

describe('a repeated group operation', () => {
  it('given a create whose group was deleted since, repeats the answer and does not create the group again', async () => {
    const [groupId, id] = [newGroup(), newId()];
    const first = await create(groupId, { 'x-operation-id': id });
    expect(shown(await create(groupId, { 'x-operation-id': id }))).toEqual(shown(first));
    await remove(groupId);
    const again = await create(groupId, { 'x-operation-id': id });
    expect([shown(again), versionOf(again)]).toEqual([shown(first), versionOf(first)]);
    expect(await isThere(groupId)).toBe(false);
  });

  it('given a delete, repeats the answer and does not delete a newer group', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId);
    const first = await remove(groupId, { 'x-operation-id': id });
    await create(groupId);
    expect(shown(await remove(groupId, { 'x-operation-id': id }))).toEqual(shown(first));
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a clear, does not delete a newer group', async () => {
    const [groupId, id] = [newGroup(), newId()];
    expect((await clear({ 'x-operation-id': id })).status).toBe(200);
    await create(groupId);
    expect((await clear({ 'x-operation-id': id })).status).toBe(200);
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a refused create, refuses it again even after the group was deleted', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId);
    const refused = await create(groupId, { 'x-operation-id': id });
    expect(refused.problem(400).code).toBe('exists');
    await remove(groupId);
    expect(shown(await create(groupId, { 'x-operation-id': id }))).toEqual(shown(refused));
    expect(await isThere(groupId)).toBe(false);
  });

  it('given a delete that found nothing, answers 404 again even when the group exists by now', async () => {
    const [groupId, id] = [newGroup(), newId()];
    (await remove(groupId, { 'x-operation-id': id })).problem(404);
    await create(groupId);
    (await remove(groupId, { 'x-operation-id': id })).problem(404);
    expect(await isThere(groupId)).toBe(true);
  });

  it('given twenty requests at once, takes effect once and gives all of them the same answer', async () => {
    const [groupId, id] = [newGroup(), newId()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(groupId, { 'x-operation-id': id })));
    expect(new Set(answers.map((answer) => `${String(answer.status)} ${String(versionOf(answer))}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
  });

  it('given a different request under the same id, answers 422 and changes nothing', async () => {
    const [groupId, other, id] = [newGroup(), newGroup(), newId()];
    await create(groupId, { 'x-operation-id': id });
    for (const answer of [
      await create(other, { 'x-operation-id': id }),
      await remove(groupId, { 'x-operation-id': id }),
      await clear({ 'x-operation-id': id }),
    ]) {
      expect(answer.problem(422).code).toBe('idempotency-key-reused');
    }
    expect([await isThere(groupId), await isThere(other)]).toEqual([true, false]);
  });
});

describe('the version of an operation', () => {
  it('given no version in the request, is assigned by the node and rises each time', async () => {
    const groupId = newGroup();
    const named = (): Headers => ({ 'x-operation-id': newId() });
    const answers = [await create(groupId, named()), await remove(groupId, named()), await create(groupId, named())];
    const versions = answers.map(versionOf);
    expect(versions[0]).toBeGreaterThan(0);
    expect(versions).toEqual([versions[0], versions[0]! + 1, versions[0]! + 2]);
  });

  it('given a version in the request, is used, and the node counts on from it', async () => {
    const version = versionOf(await create(newGroup(), { 'x-operation-id': newId() })) + 1_000;
    const brought = await create(newGroup(), { 'x-operation-id': newId(), 'x-group-version': String(version) });
    expect([brought.status, versionOf(brought)]).toEqual([201, version]);
    expect(versionOf(await create(newGroup(), { 'x-operation-id': newId() }))).toBe(version + 1);
  });

  it('given a refused operation, is assigned as well', async () => {
    const groupId = newGroup();
    await create(groupId);
    const refused = [
      await create(groupId, { 'x-operation-id': newId() }),
      await remove(newGroup(), { 'x-operation-id': newId() }),
    ];
    for (const answer of refused)
      expect([answer.status, answer.hasHeader('x-group-version')]).toEqual([answer.status, true]);
  });

  it('given operations in any order of arrival, decides which one counts', async () => {
    const groupId = newGroup();
    const version = versionOf(await create(groupId, { 'x-operation-id': newId() }));
    const at = (place: number): Headers => ({ 'x-operation-id': newId(), 'x-group-version': String(place) });
    expect((await remove(groupId, at(version + 2))).status).toBe(200);
    (await create(groupId, at(version + 1))).problem(400);
    expect(await isThere(groupId)).toBe(false);
    expect((await create(groupId, at(version + 3))).status).toBe(201);
    expect(await isThere(groupId)).toBe(true);
  });

  it.each(['', '0', '-1', '1.5', '01', '1e3', 'x', ' ', '12345678901234567', '9007199254740993', '9007199254740992'])(
    'given %j, answers 400 and changes nothing',
    async (version) => {
      const groupId = newGroup();
      const answer = await create(groupId, { 'x-operation-id': newId(), 'x-group-version': version });
      answer.problem(400, 'X-Group-Version');
      expect(await isThere(groupId)).toBe(false);
    },
  );
});

describe('an undo', () => {
  it('given a create, deletes the group, and changes nothing when repeated', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId, { 'x-operation-id': id });
    const undone = await remove(groupId, { 'x-undo': id });
    expect(undone.json()).toMatchObject({ message: expect.stringContaining(id), groupId, present: false });
    expect(undone.status).toBe(200);
    await create(groupId);
    expect((await remove(groupId, { 'x-undo': id })).json()).toMatchObject({ present: true });
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a delete, restores the group', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId);
    await remove(groupId, { 'x-operation-id': id });
    const undone = await create(groupId, { 'x-undo': id });
    expect([undone.status, undone.json()]).toEqual([200, expect.objectContaining({ groupId, present: true })]);
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a clear, restores all groups that were not deleted since', async () => {
    const [one, two, id] = [newGroup(), newGroup(), newId()];
    await create(one);
    await create(two);
    await clear({ 'x-operation-id': id });
    (await remove(two)).problem(404);
    const undone = await clear({ 'x-undo': id });
    expect([undone.status, undone.json()]).toEqual([200, expect.objectContaining({ nodeId: expect.any(String) })]);
    expect([await isThere(one), await isThere(two)]).toEqual([true, true]);
  });

  it.each([
    ['create', create, remove, false],
    ['delete', remove, create, true],
  ])(
    'given a %s that arrives later, answers that operation with 409 undone',
    async (_kind, ask, contrary, isThereAfter) => {
      const [groupId, id] = [newGroup(), newId()];
      if (isThereAfter) await create(groupId);
      expect((await contrary(groupId, { 'x-undo': id })).status).toBe(200);
      expect((await ask(groupId, { 'x-operation-id': id })).problem(409).code).toBe('undone');
      expect(await isThere(groupId)).toBe(isThereAfter);
    },
  );

  it('given a clear that arrives later, answers that clear with 409 undone', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId);
    expect((await clear({ 'x-undo': id })).status).toBe(200);
    expect((await clear({ 'x-operation-id': id })).problem(409).code).toBe('undone');
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a refused operation, leaves the existing group in place', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId);
    (await create(groupId, { 'x-operation-id': id })).problem(400);
    expect((await remove(groupId, { 'x-undo': id })).json()).toMatchObject({ present: true });
    expect((await create(groupId, { 'x-operation-id': id })).problem(409).code).toBe('undone');
    expect(await isThere(groupId)).toBe(true);
  });

  it('given one of two creates, keeps the group because of the other create', async () => {
    const [groupId, mine] = [newGroup(), newId()];
    await create(groupId, { 'x-operation-id': mine });
    await remove(groupId);
    await create(groupId, { 'x-operation-id': newId() });
    expect((await remove(groupId, { 'x-undo': mine })).json()).toMatchObject({ present: true });
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a delete that a later create has overtaken, keeps the group', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId);
    await remove(groupId, { 'x-operation-id': id });
    await create(groupId);
    await remove(groupId);
    expect((await create(groupId, { 'x-undo': id })).json()).toMatchObject({ present: false });
  });

  it('given another group or kind than the operation had, answers 422', async () => {
    const [groupId, id] = [newGroup(), newId()];
    await create(groupId, { 'x-operation-id': id });
    for (const answer of [await remove(newGroup(), { 'x-undo': id }), await create(groupId, { 'x-undo': id })]) {
      expect(answer.problem(422).code).toBe('idempotency-key-reused');
    }
    expect(await isThere(groupId)).toBe(true);
  });

  it('given no body where one is required, answers 400', async () => {
    (await replica.client.delete('/v1/group', { 'x-undo': newId() })).problem(400, 'groupId');
  });
});

describe('an Idempotency-Key at a node', () => {
  it('given a repeat, replays the answer and marks it as replayed', async () => {
    const [groupId, key] = [newGroup(), newId()];
    const first = await create(groupId, { 'idempotency-key': key });
    expect([first.status, first.hasHeader('idempotency-replayed')]).toEqual([201, false]);
    await remove(groupId);
    const again = await create(groupId, { 'idempotency-key': key });
    expect([shown(again), again.header('location')]).toEqual([shown(first), first.header('location')]);
    expect(again.header('idempotency-replayed')).toBe('true');
    expect(await isThere(groupId)).toBe(false);
  });

  it('given a repeat of a refused request, replays the refusal and marks it as replayed', async () => {
    const [groupId, key] = [newGroup(), newId()];
    (await remove(groupId, { 'idempotency-key': key })).problem(404);
    await create(groupId);
    const again = await remove(groupId, { 'idempotency-key': key });
    again.problem(404);
    expect(again.header('idempotency-replayed')).toBe('true');
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a different body, answers 422', async () => {
    const [groupId, key] = [newGroup(), newId()];
    await create(groupId, { 'idempotency-key': key });
    (await create(newGroup(), { 'idempotency-key': key })).problem(422);
    expect(await isThere(groupId)).toBe(true);
  });

  it('given another method or the path of all groups, counts as a different key', async () => {
    const [groupId, key] = [newGroup(), newId()];
    const keyed = { 'idempotency-key': key };
    const answers = [await create(groupId, keyed), await remove(groupId, keyed), await clear(keyed)];
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200]);
    expect(answers.map((answer) => answer.header('idempotency-replayed'))).toEqual(['', '', '']);
  });

  it('given another spelling of the same path, takes effect once', async () => {
    const [groupId, key] = [newGroup(), newId()];
    expect((await create(groupId, { 'idempotency-key': key })).status).toBe(201);
    for (const path of ['/v1/group/', '/v1/%67roup', '/%76%31/group?']) {
      const again = await replica.client.post(path, { groupId }, { 'idempotency-key': key });
      expect([again.status, again.header('idempotency-replayed')]).toEqual([201, 'true']);
    }
  });

  it('given a repeated clear, does not delete a newer group', async () => {
    const [groupId, key] = [newGroup(), newId()];
    await create(groupId);
    const first = await clear({ 'idempotency-key': key });
    await create(groupId);
    const again = await clear({ 'idempotency-key': key });
    expect([shown(again), again.header('idempotency-replayed')]).toEqual([shown(first), 'true']);
    expect(await isThere(groupId)).toBe(true);
  });

  it('given a key that looks like an operation id, is still only a key', async () => {
    const [one, two, id] = [newGroup(), newGroup(), newId()];
    expect((await create(one, { 'x-operation-id': `key:${id}` })).status).toBe(201);
    expect((await create(two, { 'idempotency-key': id })).status).toBe(201);
  });
});

function json(headers: Headers): Headers {
  return { ...headers, 'content-type': 'application/json' };
}
