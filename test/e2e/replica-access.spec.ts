import { describe, expect, it } from '@jest/globals';
import { REPLICATION_PATHS } from '../../src/protocols/replication/index.js';
import { CLUSTER_SECRET } from '../support/acting-primary.js';
import { CUSTOMER } from './support/resources.js';
import { useSharedReplica } from './support/shared-replica.js';

const READING = 'r'.repeat(16);
const WRITING = 'w'.repeat(16);
const replica = useSharedReplica({ API_KEYS: `ann:read:${READING},bob:write:${WRITING}` });

const MESSAGES: readonly string[] = ['append', 'setAside', 'install', 'promise'];
const ROUTES = Object.entries(REPLICATION_PATHS).map(
  ([name, path]) => [MESSAGES.includes(name) ? 'POST' : 'GET', path] as const,
);

describe('the internal routes of a replica', () => {
  it.each(ROUTES)(
    '%s %s: given no cluster secret, answers 401 whatever other credentials the request has',
    async (method, path) => {
      const shown = ['Bearer x', `Bearer ${CLUSTER_SECRET}`, CLUSTER_SECRET, `Bearer ${WRITING}`];
      for (const headers of [{}, { 'x-api-key': WRITING }, ...shown.map((authorization) => ({ authorization }))]) {
        const refused = await replica.client.send(method, path, { headers, ...(method === 'POST' && { body: 'x' }) });
        expect(refused.problem(401).code).toBe('unauthorized');
      }
    },
  );

  it('given the cluster secret, answer without an API key', async () => {
    expect(await replica.primary.ship()).toMatchObject({ verdict: 'accepted' });
  });
});

describe('the client routes of a replica with API keys', () => {
  it('given no key, answer 401 except at /health/live, /health/echo and /docs', async () => {
    for (const path of [
      '/',
      '/customers',
      '/customers/1',
      '/operations/x',
      '/v1/groups',
      '/v1/group/x',
      '/health/ready',
      '/metrics',
    ]) {
      (await replica.client.get(path)).problem(401);
    }
    (await replica.client.post('/customers', CUSTOMER.input)).problem(401);
    const group = { json: { groupId: '1' }, headers: { 'x-operation-id': 'op' } };
    const refused = await replica.client.send('POST', '/v1/group', group);
    expect([refused.problem(401).code, refused.header('x-operation-id')]).toEqual(['unauthorized', 'op']);
    for (const path of ['/health/live', '/health/echo', '/docs', '/docs-json', '/docs/swagger-ui.css']) {
      expect([path, (await replica.client.get(path)).status]).toEqual([path, 200]);
    }
    (await replica.client.get('/docs/nope')).problem(404);
  });

  it('given a read key, serve reads and answer writes with 403', async () => {
    const reader = replica.client.with({ 'x-api-key': READING });
    expect((await reader.get('/customers')).status).toBe(200);
    (await reader.post('/customers', CUSTOMER.input)).problem(403);
    expect((await reader.get('/v1/groups')).status).toBe(200);
    (await reader.post('/v1/group', { groupId: '1' })).problem(403);
    (await reader.send('DELETE', '/v1/group', { json: { groupId: '1' } })).problem(403);
    (await reader.delete('/v1/groups')).problem(403);
  });

  it('given a write key, create and delete groups', async () => {
    const writer = replica.client.with({ 'x-api-key': WRITING });
    expect((await writer.post('/v1/group', { groupId: '1' })).status).toBe(201);
    expect((await writer.delete('/v1/groups')).status).toBe(200);
  });
});
