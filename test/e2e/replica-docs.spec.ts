import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Endpoint,
  endpointsOf,
  exampleOf,
  fetchOpenApi,
  mismatches,
  type OpenApi,
  refsIn,
  resolveRef,
} from './support/openapi.js';
import { useSharedReplica } from './support/shared-replica.js';

const replica = useSharedReplica();
let document: OpenApi;
let endpoints: Endpoint[];

beforeAll(async () => {
  replica.primary.put(1, 'Ada');
  await replica.primary.ship();
  await replica.client.post('/v1/group', { groupId: '1' });
  document = await fetchOpenApi(replica.client);
  endpoints = endpointsOf(document);
});

const titleOf = ({ method, path }: Endpoint): string => `${method} ${path}`;

describe("a replica's API document", () => {
  it('is OpenAPI 3 and lists every endpoint', () => {
    expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\./), info: { title: 'Bifolio replica' } });
    expect(endpoints.map(titleOf).sort()).toEqual([
      'DELETE /customers/{id}',
      'DELETE /v1/group',
      'DELETE /v1/groups',
      'GET /',
      'GET /customers',
      'GET /customers/{id}',
      'GET /health/echo',
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
      'GET /operations/{id}',
      'GET /v1/group/{groupId}',
      'GET /v1/groups',
      'POST /customers',
      'POST /v1/group',
      'PUT /customers/{id}',
      'PUT /v1/groups/version',
    ]);
  });

  it('has no $ref that leads nowhere', () => {
    const refs = refsIn(document);
    expect(refs.length).toBeGreaterThan(30);
    expect(refs.filter((ref) => resolveRef(document, ref) === undefined)).toEqual([]);
  });

  it('names every operation once, with a summary, a tag and the parameters of its path', () => {
    const ids = endpoints.map(({ operation }) => operation.operationId);
    expect(ids).toEqual([...new Set(ids)]);
    for (const { path, operation } of endpoints) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === 'path' && parameter.required === true);
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([path, operation.summary !== '', operation.tags?.length, inPath.map(({ name }) => name)]).toEqual([
        path,
        true,
        1,
        wanted,
      ]);
    }
  });

  it('describes every answer, and refusals as problems', () => {
    for (const endpoint of endpoints) {
      for (const [status, { description, content }] of Object.entries(endpoint.operation.responses)) {
        expect([titleOf(endpoint), status, description]).toEqual([
          titleOf(endpoint),
          status,
          expect.stringMatching(/./),
        ]);
        if (Number(status) < 400) continue;
        const schema = content?.['application/problem+json']?.schema?.$ref;
        expect([titleOf(endpoint), status, schema]).toEqual([
          titleOf(endpoint),
          status,
          '#/components/schemas/Problem',
        ]);
      }
    }
  });

  it('has examples that match their schemas', () => {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect([name, mismatches(document, schema, exampleOf(document, schema))]).toEqual([name, []]);
    }
  });

  it('describes reads as the replica answers them', async () => {
    for (const [template, path] of [
      ['/', '/'],
      ['/customers', '/customers'],
      ['/customers/{id}', '/customers/1'],
      ['/v1/groups', '/v1/groups'],
      ['/v1/group/{groupId}', '/v1/group/1'],
      ['/health/live', '/health/live'],
      ['/health/echo', '/health/echo'],
      ['/health/ready', '/health/ready'],
    ] as const) {
      const answer = await replica.client.get(path, { 'x-operation-id': 'mine' });
      const described = document.paths[template]?.['get']?.responses['200'];
      const schema = described?.content?.['application/json']?.schema;
      expect([path, answer.status, mismatches(document, schema!, answer.json())]).toEqual([path, 200, []]);
      for (const name of Object.keys(described?.headers ?? {})) {
        expect([path, name, answer.hasHeader(name) || name === 'Link']).toEqual([path, name, true]);
      }
    }
  });

  it('lists the possible answers to forwarded writes', () => {
    const writes = endpoints.filter(({ method, path }) => method !== 'GET' && path.startsWith('/customers'));
    expect(writes).toHaveLength(3);
    for (const { method, path, operation } of writes) {
      const { content, headers = {} } = operation.responses['202'] ?? {};
      expect([method, path, content?.['application/json']?.schema?.$ref, Object.keys(headers).sort()]).toEqual([
        ...[method, path, '#/components/schemas/Accepted'],
        ['Idempotency-Replayed', 'Location', 'X-Commit', 'X-Operation-Id', 'X-Replicas-Acked'],
      ]);
      expect(operation.responses['503']?.description).toContain('too-few-replicas');
    }
  });

  it('describes writes of groups as the replica answers them, with their headers', async () => {
    const named = { 'x-operation-id': 'named', 'idempotency-key': 'unused' };
    const writes = [
      ['post', '/v1/group', 'GroupInput', { groupId: '2' }, 201],
      ['delete', '/v1/group', 'GroupInput', { groupId: '2' }, 200],
      ['delete', '/v1/groups', undefined, undefined, 200],
    ] as const;
    for (const [method, path, input, json, status] of writes) {
      const operation = document.paths[path]?.[method];
      const body = operation?.requestBody?.content['application/json']?.schema.$ref;
      expect([path, body]).toEqual([path, input && `#/components/schemas/${input}`]);
      expect(operation?.parameters.map(({ name, in: place }) => `${place} ${name}`)).toEqual(
        ['X-Operation-Id', 'X-Group-Version', 'X-Group-Version-After', 'X-Undo', 'Idempotency-Key'].map(
          (name) => `header ${name}`,
        ),
      );
      const headers = { ...named, 'x-operation-id': `${method} ${path}` };
      const answer = await replica.client.send(method.toUpperCase(), path, { json, headers });
      const described = operation?.responses[String(status)];
      const schema = described?.content?.['application/json']?.schema;
      const kinds = schema?.oneOf ?? [schema!];
      expect([answer.status, kinds.some((kind) => mismatches(document, kind, answer.json()).length === 0)]).toEqual([
        status,
        true,
      ]);
      const absent = Object.keys(described?.headers ?? {}).filter((name) => !answer.hasHeader(name));
      expect(absent).toEqual(['Idempotency-Replayed']);
      expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(['400', '409', '422']));
    }
  });

  it('describes a refusal as the replica answers it', async () => {
    const refused = await replica.client.post('/v1/group', { groupId: 7 });
    const schema = document.components.schemas['Problem'];
    expect(schema?.required).toContain('message');
    expect(mismatches(document, schema!, refused.problem(400))).toEqual([]);
  });

  it('has a page at /docs whose scripts and styles exist', async () => {
    const page = await replica.client.get('/docs');
    expect([page.status, page.header('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    const files = [...page.text.matchAll(/(?:src|href)="\.\/(docs\/[^"]+)"/g)].map(([, file = '']) => `/${file}`);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await replica.client.get(file)).status]).toEqual([file, 200]);
  });
});
