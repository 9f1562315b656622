import { describe, expect, it } from '@jest/globals';
import type { Wanted } from '../core/intent.js';
import type { UndoOptions } from '../core/operation.js';
import type { Call, CallEnd } from './node-calls.js';
import { lookAt, undo, write as writeTo, type WriteOptions } from './node-requests.js';

const CREATE: Wanted = { kind: 'create', groupId: 'g' };
const DELETE: Wanted = { kind: 'delete', groupId: 'g' };
const CLEAR: Wanted = { kind: 'clear' };
const KNOWS = { 'x-operation-id': 'op' };
const FAILED: CallEnd = { cause: 'connection refused: nothing is listening there', mayLand: false };

function answer(status: number, body?: unknown, headers: Record<string, string> = {}, mayLand = false): CallEnd {
  return { answer: { status, body, headers: new Headers(headers) }, mayLand };
}

function page(text: string, status = 200): CallEnd {
  const { answer: about, ...end } = answer(status, undefined, { 'content-type': 'text/html; charset=utf-8' });
  return { ...end, answer: { ...about!, isEmpty: text === '' } };
}

/** Gives these answers, one after the other, and records the requests. */
function asking(...answers: readonly CallEnd[]): {
  readonly asked: Call[];
  readonly ask: (call: Call) => Promise<CallEnd>;
} {
  const asked: Call[] = [];
  const left = [...answers];
  return {
    asked,
    ask: (call) => {
      asked.push(call);
      return Promise.resolve(left.shift() ?? FAILED);
    },
  };
}

/** By default a node that knows operation ids and had no group. */
const write = (
  ask: (call: Call) => Promise<CallEnd>,
  id: string,
  wanted: Wanted,
  options: Partial<WriteOptions> = {},
): ReturnType<typeof writeTo> => writeTo(ask, id, wanted, { knowsIds: true, before: [], ...options });

describe('a query of a node', () => {
  it.each<[string, CallEnd, object]>([
    ['has the group', answer(200, { groupId: 'g', nodeId: 'n' }, KNOWS), { understands: true, groups: ['g'] }],
    ['does not have the group', answer(404, {}, KNOWS), { understands: true, groups: [] }],
    [
      'has met a higher version',
      answer(404, {}, { ...KNOWS, 'x-group-version': '9' }),
      { understands: true, version: 9 },
    ],
    ['knows no operation ids', answer(404, {}), { understands: false, groups: [] }],
    ['returns the id of another operation', answer(404, {}, { 'x-operation-id': 'other' }), { understands: false }],
    ['answers with an HTML page', answer(200), { state: 'silent', cause: 'it answered 200' }],
    ['answers about another group', answer(200, { groupId: 'h' }), { state: 'silent' }],
    ['answers 500', answer(500, { detail: 'broken' }), { state: 'silent', cause: 'it answered 500, "broken"' }],
    ['asks for a key', answer(401, { detail: 'no key' }), { state: 'silent', cause: 'it answered 401, "no key"' }],
    ['does not answer', FAILED, { state: 'silent', cause: 'connection refused: nothing is listening there' }],
  ])('that %s reports it', async (_, end, expected) => {
    const { ask, asked } = asking(end);

    expect(await lookAt(ask, 'op', CREATE)).toMatchObject(expected);
    expect(asked).toEqual([{ method: 'GET', path: '/v1/group/g', headers: KNOWS }]);
  });

  it('before a clear asks for all groups', async () => {
    const { ask, asked } = asking(answer(200, { groups: [{ groupId: 'g' }, { groupId: 'h', nodeId: 'n' }] }, KNOWS));

    expect(await lookAt(ask, 'op', CLEAR)).toEqual({ state: 'seen', understands: true, groups: ['g', 'h'] });
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/v1/groups' });
  });

  it.each([answer(200), answer(200, []), answer(200, { groups: ['g'] }), answer(404, { groups: [] })])(
    'whose list of groups is malformed counts as silent',
    async (end) => {
      expect((await lookAt(asking(end).ask, 'op', CLEAR)).state).toBe('silent');
    },
  );

  it.each(['a b', 'ü ?#%', '...', '%2e%2e', '%2F', 'x'.repeat(1_000)])('asks for %j by its URL', async (groupId) => {
    const { ask, asked } = asking(answer(200, { groupId }, KNOWS));

    expect(await lookAt(ask, 'op', { kind: 'delete', groupId })).toMatchObject({ groups: [groupId] });
    expect(new URL(asked[0]!.path, 'http://host').pathname).toBe(`/v1/group/${encodeURIComponent(groupId)}`);
  });

  it.each(['.', '..', 'a/b', 'a/', '//', 'a\\b', 'a\nb', '\0', 'x'.repeat(1_001), '📚'.repeat(100)])(
    'asks for %j through the list, because not every server accepts it in a URL',
    async (groupId) => {
      const { ask, asked } = asking(answer(200, { groups: [{ groupId: 'other' }, { groupId }] }, KNOWS));

      expect(await lookAt(ask, 'op', { kind: 'create', groupId })).toMatchObject({ groups: [groupId] });
      expect(asked[0]?.path).toBe('/v1/groups');
    },
  );
});

describe('a write at a node', () => {
  const problem = (code: string): object => ({ code, detail: code });

  it.each<[string, Wanted, CallEnd, string]>([
    ['a created group', CREATE, answer(201), 'done'],
    ['a 200 for a created group', CREATE, answer(200), 'done'],
    ['a deleted group', DELETE, answer(204), 'done'],
    ['all groups deleted', CLEAR, answer(200), 'done'],
    ['a 400 of a plain server', CREATE, answer(400), 'exists'],
    ['a 400 with a text of a plain server', CREATE, answer(400, { message: 'there already' }), 'exists'],
    ['a 400 because it exists', CREATE, answer(400, problem('exists')), 'exists'],
    ['a 400 because the id is malformed', CREATE, answer(400, problem('validation-failed')), 'refused'],
    ['a 400 for a delete', DELETE, answer(400), 'refused'],
    ['a 404 of a plain server', DELETE, answer(404), 'absent'],
    ['a 404 because it is not there', DELETE, answer(404, problem('not-found')), 'absent'],
    ['a 404 because there is no such path', DELETE, answer(404, problem('route-not-found')), 'refused'],
    ['a 404 for a create', CREATE, answer(404), 'refused'],
    ['a 404 for a clear', CLEAR, answer(404), 'refused'],
    ['a 409 because it was undone', CREATE, answer(409, problem('undone')), 'undone'],
    ['a 409 for another reason', CREATE, answer(409, problem('conflict')), 'refused'],
    ['a 401', CREATE, answer(401), 'refused'],
    ['a 422 because the id was used', DELETE, answer(422, problem('idempotency-key-reused')), 'refused'],
    ['a 429', CREATE, answer(429), 'failed'],
    ['a 408', CREATE, answer(408, {}, {}, true), 'failed'],
    ['a 308 to another server', CREATE, answer(308), 'refused'],
    ['an empty page for a deleted group', DELETE, page(''), 'done'],
    ['a page for a deleted group', DELETE, page('<p>deleted</p>'), 'failed'],
    ['a page with status 400 of a plain server', CREATE, page('<p>no</p>', 400), 'exists'],
    ['a 503', DELETE, answer(503, {}, {}, true), 'failed'],
    ['no answer', CREATE, FAILED, 'failed'],
  ])('interprets %s correctly', async (_, wanted, end, result) => {
    expect(await write(asking(end).ask, 'op', wanted)).toMatchObject({ result });
  });

  it('sends its id and version, and uses the version of the answer', async () => {
    const { ask, asked } = asking(answer(201, {}, { 'x-group-version': '12' }), answer(204));

    expect(await write(ask, 'op', CREATE)).toEqual({ result: 'done', mayLand: false, version: 12 });
    expect(await write(ask, 'op', DELETE, { version: 12 })).toEqual({ result: 'done', mayLand: false });
    await write(ask, 'op', CLEAR, { after: 11 });
    expect(asked).toEqual([
      { method: 'POST', path: '/v1/group', body: { groupId: 'g' }, headers: KNOWS },
      { method: 'DELETE', path: '/v1/group', body: { groupId: 'g' }, headers: { ...KNOWS, 'x-group-version': '12' } },
      { method: 'DELETE', path: '/v1/groups', headers: { ...KNOWS, 'x-group-version-after': '11' } },
    ]);
  });

  it.each(['', 'x', '1.5'])('that is answered with the version %j has no version', async (version) => {
    const { ask } = asking(answer(201, {}, version === '' ? {} : { 'x-group-version': version }));

    expect(await write(ask, 'op', CREATE)).not.toHaveProperty('version');
  });

  it('for a clear has no body', async () => {
    const { ask, asked } = asking(answer(200));
    await write(ask, 'op', CLEAR, { version: 3 });

    expect(asked).toEqual([{ method: 'DELETE', path: '/v1/groups', headers: { ...KNOWS, 'x-group-version': '3' } }]);
  });
});

describe('a write at a node that answers 500', () => {
  const BROKEN = answer(500);
  const THERE = answer(200, { groupId: 'g' });
  const NOT_THERE = answer(404);

  it.each<[string, Wanted, Partial<WriteOptions>, readonly CallEnd[], object]>([
    ['has not created is refused', CREATE, { knowsIds: false }, [NOT_THERE], { result: 'refused', mayLand: false }],
    ['has created nevertheless is done', CREATE, { knowsIds: false }, [THERE], { result: 'done', mayLand: false }],
    ['is silent afterwards is in doubt', CREATE, { knowsIds: false }, [FAILED], { result: 'failed', mayLand: true }],
    [
      'has not deleted is refused',
      DELETE,
      { knowsIds: false, before: ['g'] },
      [THERE],
      { result: 'refused', mayLand: false },
    ],
    ['has deleted nevertheless is done', DELETE, { knowsIds: false, before: ['g'] }, [NOT_THERE], { result: 'done' }],
    ['had nothing to delete needs nothing more', DELETE, { knowsIds: false }, [NOT_THERE], { result: 'absent' }],
    [
      'has cleared a part is in doubt',
      CLEAR,
      { knowsIds: false, before: ['g', 'h'] },
      [answer(200, { groups: [{ groupId: 'h' }] })],
      { result: 'failed', mayLand: true },
    ],
    ['knows ids and succeeds at the second request', CREATE, {}, [answer(201)], { result: 'done' }],
    [
      'knows ids and has not created is refused, and to be undone',
      CREATE,
      {},
      [BROKEN, NOT_THERE],
      { result: 'refused', mayLand: true, isOver: true },
    ],
    [
      'knows ids, is gone afterwards and may have done it is in doubt',
      CREATE,
      {},
      [FAILED],
      { result: 'failed', mayLand: true, isOver: true },
    ],
    [
      "knows ids and has the group may have another client's",
      CREATE,
      { version: 3 },
      [BROKEN, THERE],
      { result: 'failed', mayLand: true, isOver: true },
    ],
    [
      'knows ids and had nothing to delete does not stand against a slower create',
      DELETE,
      { version: 3 },
      [BROKEN, NOT_THERE],
      { result: 'refused', mayLand: true, isOver: true },
    ],
  ])('and %s', async (_, wanted, options, later, expected) => {
    const { ask, asked } = asking(BROKEN, ...later);

    expect(await write(ask, 'op', wanted, options)).toMatchObject(expected);
    expect(asked).toHaveLength(1 + later.length);
  });
});

describe('an undo', () => {
  const NOTHING: UndoOptions = { before: { groups: [] } };
  const HAD_IT: UndoOptions = { before: { groups: ['g'] } };
  const REMOVE = { remove: ['g'], restore: [] };

  it.each([
    [CREATE, 'DELETE', '/v1/group'],
    [DELETE, 'POST', '/v1/group'],
    [CLEAR, 'DELETE', '/v1/groups'],
  ])('by id of %j is a %s of %s that names the operation', async (wanted, method, path) => {
    const { ask, asked } = asking(answer(200));

    expect(await undo(ask, 'op', wanted)).toEqual({ isUndone: true });
    expect(asked[0]).toMatchObject({ method, path, headers: { 'x-operation-id': 'op', 'x-undo': 'op' } });
  });

  it.each([[answer(201)], [answer(404)], [answer(400)], [answer(422)], [answer(429)], [answer(500)], [FAILED]])(
    'by id that is not confirmed is not done',
    async (end) => {
      expect(await undo(asking(end).ask, 'op', CREATE)).toMatchObject({
        isUndone: false,
        cause: expect.any(String),
      });
    },
  );

  it('by the opposite change removes and restores group by group, accepts a clear refusal, and has no id', async () => {
    const { ask, asked } = asking(answer(404), answer(201), answer(400));

    expect(await undo(ask, 'op', CLEAR, { contrary: { remove: ['a'], restore: ['b', 'c'] } })).toEqual({
      isUndone: true,
    });
    expect(asked).toEqual([
      { method: 'DELETE', path: '/v1/group', body: { groupId: 'a' } },
      { method: 'POST', path: '/v1/group', body: { groupId: 'b' } },
      { method: 'POST', path: '/v1/group', body: { groupId: 'c' } },
    ]);
  });

  it('by the opposite change stops at the first group that is not confirmed', async () => {
    const { ask, asked } = asking(answer(201), answer(503), answer(201));

    expect(await undo(ask, 'op', CLEAR, { contrary: { remove: [], restore: ['a', 'b', 'c'] } })).toMatchObject({
      isUndone: false,
    });
    expect(asked).toHaveLength(2);
  });

  it.each<[string, Wanted, UndoOptions, readonly CallEnd[], boolean]>([
    ['a create that is not there', CREATE, NOTHING, [answer(500), answer(404)], true],
    ['a create that is not there, but may arrive later', CREATE, {}, [answer(500)], false],
    [
      'a create that is not there, with no later version',
      CREATE,
      { before: { groups: [], version: 6 } },
      [answer(500), answer(404, undefined, { ...KNOWS, 'x-group-version': '6' })],
      true,
    ],
    [
      'a create that a later delete may have overtaken',
      CREATE,
      { before: { groups: [], version: 6 } },
      [answer(500), answer(404, undefined, { ...KNOWS, 'x-group-version': '8' })],
      false,
    ],
    ['a create that is there', CREATE, NOTHING, [answer(500), answer(200, { groupId: 'g' })], false],
    ['a delete of a group that is there again', DELETE, HAD_IT, [answer(500), answer(200, { groupId: 'g' })], true],
    ['a delete of a group that is gone', DELETE, HAD_IT, [answer(500), answer(404)], false],
    ['a delete of a group that may never have been there', DELETE, {}, [answer(500)], false],
    ['a create at a plain node', CREATE, { ...NOTHING, contrary: REMOVE }, [answer(404)], true],
    ['a create at a plain node that may arrive later', CREATE, { contrary: REMOVE }, [], false],
  ])('of %s at a node that answers 500 follows a query', async (_, wanted, options, later, isUndone) => {
    expect(await undo(asking(answer(500), ...later).ask, 'op', wanted, options)).toMatchObject({ isUndone });
  });

  it.each([200, 201, 204])(
    'by the opposite change accepts a %i without a body, and not an HTML page',
    async (status) => {
      const contrary = { remove: ['a'], restore: ['b'] };

      expect(await undo(asking(page('', status), page('', status)).ask, 'op', CLEAR, { contrary })).toEqual({
        isUndone: true,
      });
      expect(await undo(asking(page('<p>Welcome</p>', status)).ask, 'op', CLEAR, { contrary })).toMatchObject({
        isUndone: false,
      });
    },
  );
});
