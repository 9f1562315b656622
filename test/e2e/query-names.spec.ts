import { describe, expect, it } from '@jest/globals';
import type { Client } from './support/client.js';
import { type Endpoint, endpointsOf, fetchOpenApi } from './support/openapi.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const app = useSharedApp();
const replica = useSharedReplica();
const clients: Readonly<Record<string, () => Client>> = { app: () => app.client, replica: () => replica.client };

/** Its path with a value for each parameter. */
const pathOf = ({ path }: Endpoint): string => path.replace(/\{\w+\}/g, '1');

describe.each(['app', 'replica'])('an unknown query name, on the %s', (name) => {
  it('is refused by its name on every path, and nothing is done', async () => {
    const client = clients[name]!();
    for (const endpoint of endpointsOf(await fetchOpenApi(client))) {
      const { method } = endpoint;
      const refused = await client.send(method, `${pathOf(endpoint)}?limi=1`);
      expect([method, endpoint.path, refused.problem(400, 'limi').code]).toEqual([
        method,
        endpoint.path,
        'validation-failed',
      ]);
    }
  });

  it('is not one that the API document lists', async () => {
    const client = clients[name]!();
    for (const endpoint of endpointsOf(await fetchOpenApi(client))) {
      for (const { name: known } of endpoint.operation.parameters.filter((parameter) => parameter.in === 'query')) {
        const answer = await client.send(endpoint.method, `${pathOf(endpoint)}?${known}=`);
        expect([endpoint.path, known, answer.text]).toEqual([
          endpoint.path,
          known,
          expect.not.stringContaining('is not a known query'),
        ]);
      }
    }
  });
});

describe('an empty query, or a query on a documentation page', () => {
  it.each(['/books?', '/docs?v=1', '/docs-json?v=1'])('given %s, is accepted', async (path) => {
    expect((await app.client.get(path)).status).toBe(200);
  });
});
