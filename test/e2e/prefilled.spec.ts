import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Cluster } from '../support/cluster.js';
import { Client } from './support/client.js';
import { type Endpoint, endpointsOf, fetchOpenApi, type OpenApi } from './support/openapi.js';
import { asPrefilled, prefilledValue, type PrefilledParameter } from './support/swagger-ui.js';

/** A person creates something before reading or deleting it. */
const ORDER = ['POST', 'GET', 'PUT', 'DELETE'];

/** A person enters the token of a user at "Authorize". */
function needsToken({ operation }: Endpoint): boolean {
  const { security = [] } = operation as { readonly security?: readonly object[] };
  return security.length > 0 && security.every((one) => 'userToken' in one);
}

async function bearer(client: Client): Promise<Readonly<Record<string, string>>> {
  const credentials = { correo: `${randomUUID()}@example.org`, clave: 'a password' };
  await client.post('/user-commands/users/register', credentials);
  const { token } = (await client.post('/token', credentials)).json<{ token: string }>();
  return { authorization: `Bearer ${token}` };
}

describe('Swagger UI', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ SEED: 'on' });
  });
  afterAll(() => cluster.end());

  const processes = [
    ['the app', () => new Client(cluster.app.url)],
    ['a replica', () => new Client(cluster.replicas[0]!.url)],
  ] as const;

  describe.each(processes)('of %s', (_, clientOf) => {
    let client: Client;
    let document: OpenApi;
    let endpoints: Endpoint[];

    beforeAll(async () => {
      client = clientOf();
      document = await fetchOpenApi(client);
      endpoints = endpointsOf(document).sort((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method));
    });

    it('fills in no optional parameter, except values that are the default anyway', () => {
      const filled = endpoints.flatMap(({ method, path, operation }) =>
        (operation.parameters as readonly PrefilledParameter[])
          .filter((one) => one.required !== true && prefilledValue(one) !== one.schema?.default)
          .map(({ name }) => `${method} ${path}: ${name}`),
      );

      expect(filled).toEqual([]);
    });

    it('executes every operation as filled in, with success or a documented 404', async () => {
      const told: string[] = [];
      for (const endpoint of endpoints) {
        const { method, path, asking } = asPrefilled(document, endpoint);
        const headers = needsToken(endpoint) ? await bearer(client) : {};
        const { status, text } = await client.send(method, path, {
          ...asking,
          headers: { ...asking.headers, ...headers },
        });
        const isDocumented = Object.hasOwn(endpoint.operation.responses, String(status));
        if (isDocumented && (status < 300 || status === 404)) continue;
        told.push(`${method} ${path} ${JSON.stringify(asking.json)} -> ${String(status)} ${text.slice(0, 200)}`);
      }

      expect([told, endpoints.length > 10]).toEqual([[], true]);
    });

    it('executes every POST twice: the second creates another resource or reports that it exists', async () => {
      const told: string[] = [];
      for (const endpoint of endpoints.filter(({ method }) => method === 'POST')) {
        const { method, path, asking } = asPrefilled(document, endpoint);
        const answers = [await client.send(method, path, asking), await client.send(method, path, asking)];
        const [first, second] = answers.map(({ status, text }) => `${String(status)} ${text}`);
        if (answers[1]!.status < 400 && answers[1]!.header('idempotency-replayed') !== '')
          told.push(`${path}: ${second!}`);
        if (answers[1]!.status === 201 && first === second) told.push(`${path}: twice ${second!}`);
      }

      expect(told).toEqual([]);
    });
  });

  it('executes the filled-in create of a group on a node, and the group exists afterwards', async () => {
    const client = new Client(cluster.replicas[1]!.url);
    const document = await fetchOpenApi(client);
    const create = endpointsOf(document).find(({ method, path }) => method === 'POST' && path === '/v1/group');
    const { method, path, asking } = asPrefilled(document, create!);

    expect((await client.send(method, path, asking)).status).toBe(201);
    expect((await client.get('/v1/groups')).json<{ groups: unknown[] }>().groups).toHaveLength(1);
  });
});
