import { beforeAll, describe, expect, it } from '@jest/globals';
import { RESOURCES } from './support/resources.js';
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
import { itemOf, Shop } from './support/shop.js';
import { useSharedApp } from './support/shared-app.js';

const CREDENTIALS = { correo: 'grace@example.org', clave: 'a password' };
const USER = { firstname: 'Ada', lastname: 'Lovelace' };
/** Answered with text. */
const TEXT_PATHS = ['/metrics', '/ids/create'];

const app = useSharedApp();
let document: OpenApi;
let endpoints: Endpoint[];

beforeAll(async () => {
  document = await fetchOpenApi(app.client);
  endpoints = endpointsOf(document);
});

const titleOf = ({ method, path }: Endpoint): string => `${method} ${path}`;

/** The endpoints of which `test` holds something against, with what it is. */
function complaints(test: (endpoint: Endpoint) => readonly unknown[]): unknown[] {
  return endpoints.flatMap((endpoint) => {
    const found = test(endpoint);
    return found.length === 0 ? [] : [[titleOf(endpoint), ...found]];
  });
}

describe('the API document', () => {
  it('is OpenAPI 3 of this program and lists every endpoint', async () => {
    const { version } = (await app.client.get('/')).json<{ version: string }>();
    expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\./), info: { title: 'Bifolio', version } });
    expect(endpoints.map(titleOf).sort()).toEqual(
      [
        ...[
          'GET /',
          'GET /health/live',
          'GET /health/echo',
          'GET /health/ready',
          'GET /metrics',
          'GET /operations/{id}',
        ],
        ...['GET /replication/status', 'GET /replication/state-hash', 'POST /books-2pc'],
        ...['GET /transactions', 'GET /transactions/{id}'],
        ...['POST /transactions/recover', 'POST /transactions/{id}/resolve'],
        ...[
          'GET /ids/create',
          'POST /sql/users',
          'GET /sql/users/{id}',
          'PUT /sql/users/{id}',
          'POST /sql_mongo/users',
        ],
        ...['POST /stock/item/create/{price}', 'GET /stock/find/{item_id}'],
        ...['POST /stock/add/{item_id}/{amount}', 'POST /stock/subtract/{item_id}/{amount}'],
        ...['POST /payment/create_user', 'GET /payment/find_user/{user_id}'],
        ...['POST /payment/add_funds/{user_id}/{amount}', 'POST /payment/pay/{user_id}/{amount}'],
        ...[
          'POST /payment/batch_init/{n}/{starting_money}',
          'POST /stock/batch_init/{n}/{starting_stock}/{item_price}',
        ],
        ...['POST /orders/create/{user_id}', 'GET /orders/find/{order_id}', 'POST /orders/checkout/{order_id}'],
        'POST /orders/addItem/{order_id}/{item_id}/{quantity}',
        'POST /orders/batch_init/{n}/{n_items}/{n_users}/{item_price}',
        ...['POST /user-commands/users/register', 'POST /user-queries/users/check_user', 'GET /user-db/users'],
        ...['GET /user-queries/users/check/{correo}', 'GET /users', 'POST /token', 'GET /token'],
        ...['GET /sagas', 'GET /sagas/{id}', 'POST /sagas/recover', 'POST /sagas/{id}/resume'],
        ...['POST /nosql/users/{id}', 'GET /nosql/users/{id}', 'PUT /nosql/users/{id}'],
        ...RESOURCES.flatMap(({ path }) => [`GET ${path}`, `POST ${path}`]),
        ...RESOURCES.flatMap(({ path }) => ['GET', 'PUT', 'DELETE'].map((method) => `${method} ${path}/{id}`)),
      ].sort(),
    );
  });

  it('has no $ref that leads nowhere', () => {
    const refs = refsIn(document);
    expect(refs.length).toBeGreaterThan(50);
    expect(refs.filter((ref) => resolveRef(document, ref) === undefined)).toEqual([]);
  });

  it('names every operation once, with a summary and a tag', () => {
    const ids = endpoints.map(({ operation }) => operation.operationId);
    expect(ids).toEqual([...new Set(ids)]);
    expect(
      complaints(({ operation: { summary = '', tags = [] } }) => (summary && tags.length ? [] : ['none'])),
    ).toEqual([]);
  });

  it('declares exactly the parameters of each path', () => {
    const inPath = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    expect(
      complaints(({ path, operation: { parameters } }) => {
        const declared = parameters.filter((parameter) => parameter.in === 'path' && parameter.required === true);
        return JSON.stringify(declared.map(({ name }) => name)) === JSON.stringify(inPath(path)) ? [] : declared;
      }),
    ).toEqual([]);
  });

  it('describes every answer, with a schema for every body', () => {
    const bodiless = new Set(['204', '304']);
    expect(
      complaints(({ operation }) =>
        Object.entries(operation.responses).flatMap(([status, { description = '', content = {} }]) => {
          const schemas = Object.values(content).map(({ schema }) => schema);
          const isWhole = bodiless.has(status) ? schemas.length === 0 : schemas.length > 0 && schemas.every(Boolean);
          return description !== '' && isWhole ? [] : [status];
        }),
      ),
    ).toEqual([]);
  });

  it('lists the refusals of every endpoint as problems', () => {
    const always = ['401', '403', '429'];
    const expected: Record<string, readonly string[]> = {
      GET: always,
      POST: [...always, '400', '413', '415', '422', '503', '504'],
      PUT: [...always, '400', '404', '412', '413', '415', '422', '503', '504'],
      DELETE: [...always, '400', '404', '412', '413', '415', '422', '503', '504'],
    };
    expect(
      complaints(({ method, path, operation: { responses } }) => {
        if (path === '/health/live' || path === '/health/echo') return [];
        const wanted = [...(expected[method] ?? []), ...(method === 'GET' && path.endsWith('}') ? ['404'] : [])];
        return wanted.filter((status) => {
          const problem = responses[status]?.content?.['application/problem+json'];
          return problem?.schema?.$ref !== '#/components/schemas/Problem';
        });
      }),
    ).toEqual([]);
  });

  it('describes refusals as the app sends them', async () => {
    const refused = await app.client.post('/books', {});
    expect(mismatches(document, document.components.schemas['Problem']!, refused.json())).toEqual([]);
  });

  it('lists exactly the headers that the answer to a transaction has', async () => {
    const { headers = {} } = document.paths['/books-2pc']?.['post']?.responses['201'] ?? {};
    const created = await app.client.post('/books-2pc', RESOURCES[0].input);
    expect(Object.keys(headers).sort()).toEqual([
      ...['Idempotency-Replayed', 'Location', 'X-Commit', 'X-Operation-Id', 'X-Replicas-Acked'],
    ]);
    for (const name of ['Location', 'X-Commit', 'X-Operation-Id', 'X-Replicas-Acked']) {
      expect([name, created.hasHeader(name)]).toEqual([name, true]);
    }
  });

  it.each(RESOURCES)('lists exactly the headers that answers about a $name have', async ({ path, input }) => {
    const created = await app.client.post(path, input);
    const at = created.header('location');
    const answers = [
      ['POST', path, created],
      ['GET', `${path}/{id}`, await app.client.get(at)],
      ['GET', path, await app.client.get(`${path}?limit=1`)],
      ['PUT', `${path}/{id}`, await app.client.put(at, input)],
      ['DELETE', `${path}/{id}`, await app.client.delete(at)],
    ] as const;
    const known = ['etag', 'location', 'x-operation-id', 'x-commit', 'x-replicas-acked', 'x-cache', 'x-total-count'];
    for (const [method, template, answer] of answers) {
      const documented = document.paths[template]?.[method.toLowerCase()]?.responses[String(answer.status)]?.headers;
      const named = Object.keys(documented ?? {}).map((name) => name.toLowerCase());
      const always = named.filter((name) => name !== 'link' && name !== 'idempotency-replayed');
      expect([method, template, always.sort()]).toEqual([
        method,
        template,
        known.filter((name) => answer.hasHeader(name)).sort(),
      ]);
    }
  });
});

describe('replicated writes in the API document', () => {
  const writes = (path: string): Endpoint[] =>
    endpoints.filter((endpoint) => endpoint.path.startsWith(path) && endpoint.method !== 'GET');
  const parametersOf = ({ operation }: Endpoint): string[] => operation.parameters.map(({ name }) => name);

  const replicated = (): Endpoint[] =>
    ['/customers', '/books-2pc', '/nosql/users', '/sql_mongo/users'].flatMap((path) => writes(path));

  it('may be answered 202 with the path of the operation', () => {
    expect(replicated()).toHaveLength(7);
    for (const endpoint of replicated()) {
      const { content, headers = {} } = endpoint.operation.responses['202'] ?? {};
      expect([titleOf(endpoint), content?.['application/json']?.schema?.$ref, Object.keys(headers).sort()]).toEqual([
        titleOf(endpoint),
        '#/components/schemas/Accepted',
        ['Idempotency-Replayed', 'Location', 'X-Commit', 'X-Operation-Id', 'X-Replicas-Acked'],
      ]);
    }
  });

  it('take X-Write-Concern and may be refused for too few replicas', () => {
    for (const endpoint of replicated()) {
      const { description } = endpoint.operation.responses['503'] ?? {};
      expect([titleOf(endpoint), parametersOf(endpoint), description]).toEqual([
        titleOf(endpoint),
        expect.arrayContaining(['X-Write-Concern']),
        expect.stringContaining('too-few-replicas'),
      ]);
    }
  });

  it('exclude books and SQL users', () => {
    const inSql = [...writes('/books'), ...writes('/sql/')].filter(({ path }) => path !== '/books-2pc');
    expect(inSql).toHaveLength(5);
    for (const endpoint of inSql) {
      expect([titleOf(endpoint), endpoint.operation.responses['202']]).toEqual([titleOf(endpoint), undefined]);
      expect([titleOf(endpoint), parametersOf(endpoint).includes('X-Write-Concern')]).toEqual([
        titleOf(endpoint),
        false,
      ]);
    }
  });
});

describe('the examples in the API document', () => {
  it('given as bodies of POST and PUT, are accepted', async () => {
    const isOfResource = ({ path }: Endpoint): boolean => !path.startsWith('/transactions/');
    const withBodies = endpoints.filter(
      (endpoint) => endpoint.operation.requestBody?.required && isOfResource(endpoint),
    );
    expect(withBodies.map(titleOf)).toHaveLength(12);
    for (const { method, path, operation } of withBodies) {
      const schema = operation.requestBody?.content['application/json']?.schema;
      const example = exampleOf(document, schema!);
      const isNamedByClient = path.startsWith('/nosql/');
      const collection = path.replace('/{id}', isNamedByClient ? `/from-${method}` : '');
      const target = method === 'PUT' ? await app.client.add(collection, example) : collection;
      const answer = await app.client.send(method, target, { json: example });
      expect([titleOf({ method, path, operation }), answer.status]).toEqual([
        `${method} ${path}`,
        method === 'PUT' || path.startsWith('/user-') ? 200 : 201,
      ]);
      const shown = operation.responses[String(answer.status)]?.content?.['application/json']?.schema;
      expect(mismatches(document, shown!, answer.json())).toEqual([]);
    }
  });

  it('given as a body of the resolve route, are accepted', async () => {
    const added = await app.client.post('/books-2pc', RESOURCES[0].input);
    const { transactionId } = added.json<{ transactionId: string }>();
    const example = exampleOf(document, document.components.schemas['Resolution']!);
    (await app.client.post(`/transactions/${transactionId}/resolve`, example)).problem(409);
  });

  it('match their schemas', () => {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect([name, mismatches(document, schema, exampleOf(document, schema))]).toEqual([name, []]);
    }
  });

  it('look like real answers to GET', async () => {
    const book = await app.client.post('/books', RESOURCES[0].input);
    const transaction = await app.client.post('/books-2pc', RESOURCES[0].input);
    const shop = new Shop(() => app.client);
    const order = await shop.order(await shop.user(), [[itemOf(book.header('location')), 1]]);
    const checkout = await shop.checkOut(order);
    const real: Record<string, string> = {
      '/orders/find/{order_id}': `/orders/find/${order}`,
      '/sagas/{id}': `/sagas/${checkout.header('x-operation-id')}`,
      '/transactions/{id}': `/transactions/${transaction.json<{ transactionId: string }>().transactionId}`,
      '/books/{id}': book.header('location'),
      '/customers/{id}': await app.client.add('/customers', RESOURCES[1].input),
      '/sql/users/{id}': await app.client.add('/sql/users', USER),
      '/nosql/users/{id}': await app.client.add('/nosql/users/ada', USER),
      '/stock/find/{item_id}': await app.client.add('/stock/item/create/5', undefined),
      '/payment/find_user/{user_id}': await app.client.add('/payment/create_user', undefined),
      '/operations/{id}': `/operations/${book.header('x-operation-id')}`,
      '/user-queries/users/check/{correo}': `/user-queries/users/check/${CREDENTIALS.correo}`,
      '/users': `/users?correo=${CREDENTIALS.correo}`,
    };
    await app.client.post('/user-commands/users/register', CREDENTIALS);
    const { token } = (await app.client.post('/token', CREDENTIALS)).json<{ token: string }>();
    const reads = endpoints.filter(({ method, path }) => method === 'GET' && !TEXT_PATHS.includes(path));
    expect(reads).toHaveLength(24);
    for (const { path, operation } of reads) {
      const answer = await app.client.get(real[path] ?? path, { authorization: `Bearer ${token}` });
      const schema = operation.responses['200']?.content?.['application/json']?.schema;
      expect([path, answer.status, mismatches(document, schema!, answer.json())]).toEqual([path, 200, []]);
    }
  });
});

describe('the page at /docs', () => {
  it('is HTML whose scripts and styles exist', async () => {
    const page = await app.client.get('/docs');
    expect([page.status, page.header('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    const files = [...page.text.matchAll(/(?:src|href)="\.\/(docs\/[^"]+)"/g)].map(([, file = '']) => `/${file}`);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await app.client.get(file)).status]).toEqual([file, 200]);
  });
});
