import { describe, expect, it } from '@jest/globals';
import { useSharedReplica } from './support/shared-replica.js';

const replica = useSharedReplica();
let made = 0;
const newId = (): string => `operation ${String((made += 1))}`;

function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  groupId?: string,
): Promise<Response> {
  return fetch(`${replica.process.url}${path}`, {
    method,
    headers: { ...headers, ...(groupId !== undefined && { 'content-type': 'application/json' }) },
    ...(groupId !== undefined && { body: JSON.stringify({ groupId }) }),
  });
}

async function created(groupId: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const response = await ask('POST', '/v1/group', { 'x-operation-id': newId(), ...headers }, groupId);
  expect(response.status).toBe(201);
  return Number(response.headers.get('x-group-version'));
}

async function met(path: string): Promise<number> {
  return Number((await ask('GET', path, { 'x-operation-id': newId() })).headers.get('x-group-version'));
}

describe('the versions of a node', () => {
  it('given a read with X-Operation-Id, are returned, and otherwise not', async () => {
    const version = await created('told', {});

    expect([await met('/v1/groups'), await met('/v1/group/told'), await met('/v1/group/none')]).toEqual([
      ...[version, version, version],
    ]);
    expect((await ask('GET', '/v1/groups', {})).headers.has('x-group-version')).toBe(false);
  });

  it('given X-Group-Version-After, are allotted above it from then on', async () => {
    const before = await met('/v1/groups');

    expect(await created('above', { 'x-group-version-after': String(before + 10) })).toBe(before + 11);
    expect(await created('next', { 'x-group-version-after': '1' })).toBe(before + 12);
    expect(await created('given', { 'x-group-version': String(before + 5) })).toBe(before + 5);
    expect(await met('/v1/groups')).toBe(before + 12);
  });

  it.each(['x-group-version', 'x-group-version-after'])(
    'given a %s that is not a version, answer 400',
    async (name) => {
      for (const value of ['0', '-1', '1.5', 'x', '9'.repeat(16)]) {
        const response = await ask('POST', '/v1/group', { 'x-operation-id': newId(), [name]: value }, 'malformed');
        expect([value, response.status]).toEqual([value, 400]);
        expect(await response.json()).toMatchObject({ code: 'validation-failed' });
      }
    },
  );

  it.each(['x-group-version', 'x-group-version-after'])(
    'given a %s far above every version seen, answer 400 with that version, and write nothing',
    async (name) => {
      const before = await met('/v1/groups');
      for (const value of [String(before + 1_000_001), '9007199254740991', '9'.repeat(30)]) {
        for (const [method, path, groupId] of [
          ['POST', '/v1/group', 'far'],
          ['DELETE', '/v1/group', 'far'],
          ['DELETE', '/v1/groups', undefined],
        ] as const) {
          const response = await ask(method, path, { 'x-operation-id': newId(), [name]: value }, groupId);
          expect([method, value, response.status]).toEqual([method, value, 400]);
          expect(await response.json()).toMatchObject({
            code: 'validation-failed',
            message: expect.stringContaining(`at most 1000000 above ${String(before)}, the highest`),
          });
        }
      }
      expect(await met('/v1/groups')).toBe(before);
    },
  );

  it('given a raise, rise to that version and never fall', async () => {
    const before = await met('/v1/groups');
    const raised = await ask('PUT', '/v1/groups/version', { 'x-group-version': String(before + 5_000_000) });

    expect([raised.status, await raised.json()]).toEqual([
      200,
      expect.objectContaining({ version: String(before + 5_000_000) }),
    ]);
    expect(await created('after the raise', {})).toBe(before + 5_000_001);
    expect((await ask('PUT', '/v1/groups/version', { 'x-group-version': '1' })).status).toBe(200);
    expect(await met('/v1/groups')).toBe(before + 5_000_001);
  });

  it.each([undefined, 'x', '0', '-1', '1.5', '9'.repeat(31), '9007199254740992', '9'.repeat(30)])(
    'given a raise to %s, answer 400 with the name of the header',
    async (value) => {
      const before = await met('/v1/groups');
      const headers: Record<string, string> = value === undefined ? {} : { 'x-group-version': value };
      const response = await ask('PUT', '/v1/groups/version', headers);

      expect([response.status, await response.json()]).toEqual([
        400,
        expect.objectContaining({ errors: [expect.objectContaining({ field: 'X-Group-Version' })] }),
      ]);
      expect(await met('/v1/groups')).toBe(before);
    },
  );

  it.each(['X-Group-Version', 'X-Group-Version-After'])(
    'given both headers, of which only %s is too high, answer 400 with the name of that one',
    async (far) => {
      const before = await met('/v1/groups');
      const both = { 'X-Group-Version': '1', 'X-Group-Version-After': '1', [far]: String(before + 1_000_001) };
      const response = await ask('POST', '/v1/group', { 'x-operation-id': newId(), ...both }, 'both');

      expect([response.status, await response.json()]).toEqual([
        400,
        expect.objectContaining({ errors: [expect.objectContaining({ field: far })] }),
      ]);
    },
  );

  it('given a create or delete below the current operation, answer 409 and say which operation stands', async () => {
    const version = await created('standing', {});
    await created('doomed', {});
    expect((await ask('DELETE', '/v1/group', { 'x-operation-id': newId() }, 'doomed')).status).toBe(200);

    for (const [method, groupId, status] of [
      ['DELETE', 'standing', 200],
      ['POST', 'doomed', 404],
    ] as const) {
      const late = { 'x-operation-id': newId(), 'x-group-version': String(version - 1) };
      for (const again of [1, 2]) {
        const response = await ask(method, '/v1/group', late, groupId);
        expect([again, response.status]).toEqual([again, 409]);
        expect(await response.json()).toMatchObject({ code: 'overtaken' });
      }
      expect((await ask('GET', `/v1/group/${groupId}`, {})).status).toBe(status);
    }
  });
});
