import { z } from 'zod';
import { customerInputSchema, customerSchema } from '../../modules/customers/index.js';
import { operationSchema } from '../../modules/operations/index.js';
import { acceptedSchema, problemJsonSchema, REFUSALS, REPLICATED_REFUSALS } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';
import { liveSchema, nodeSchema, readySchema } from './about-routes.js';

type Json = Readonly<Record<string, unknown>>;

const SCHEMAS = {
  Accepted: acceptedSchema,
  Customer: customerSchema,
  CustomerInput: customerInputSchema,
  Operation: operationSchema,
  Node: nodeSchema,
  Live: liveSchema,
  Ready: readySchema,
};

const text = { type: 'string' };
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const jsonOf = (schema: Json): Json => ({ 'application/json': { schema } });
const header = (description: string, example?: string): Json => ({ description, schema: { ...text, example } });

const ETAG = { ETag: header('validator of this representation') };
const REPLICA_SEQ = { 'X-Replica-Seq': header('what this replica held when it answered: epoch.seq', '1.42') };
const COMMIT = {
  'X-Operation-Id': header('for GET /operations/{id}'),
  'Idempotency-Replayed': header('`true` on the answer to a repeated Idempotency-Key'),
  'X-Commit': header('place of the write in the history: epoch.seq', '1.42'),
  'X-Replicas-Acked': header(
    'replicas that were known to hold it when the primary answered, of those there are',
    '4/4',
  ),
};

const parameter = (place: string, name: string, description: string, schema: Json, more: Json = {}): Json => ({
  name,
  in: place,
  description,
  schema,
  ...more,
});
const wholeNumber = (minimum: number): Json => ({ type: 'integer', minimum });
const ID = parameter('path', 'id', 'a whole number from 1', wholeNumber(1), { required: true, example: 1 });
const OPERATION_ID = parameter('path', 'id', 'an operation id', text, { required: true });
const MIN_SEQ = parameter('query', 'min_seq', 'X-Commit of a write: waits until this replica holds it, else 503', {
  ...text,
  pattern: '^\\d+\\.\\d+$',
});
const PAGE = [
  parameter('query', 'limit', 'how many at most', { ...wholeNumber(1), maximum: 1000, default: 100 }),
  parameter('query', 'after', 'only ids above this', wholeNumber(0)),
];
const IF_NONE_MATCH = parameter('header', 'If-None-Match', 'an ETag: 304 while it is current', text);
const IF_MATCH = parameter('header', 'If-Match', 'an ETag: 412 unless it is current', text);
const WRITE = [
  parameter('header', 'Idempotency-Key', '1 to 255 printable characters: the write takes effect once', text),
  parameter(
    'header',
    'X-Write-Concern',
    'who must hold the write before the primary answers; absent: its own setting',
    {
      ...text,
      enum: ['all', 'majority', 'primary'],
    },
  ),
];

const EVERYWHERE = [401, 403, 429];
const OF_WRITES = [400, 401, 403, 413, 415, 422, 429, 503, 504];

function refusals(statuses: readonly number[], known: Readonly<Record<number, string>>): Json {
  const content = { 'application/problem+json': { schema: ref('Problem') } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: known[status] ?? REFUSALS[status], content }]),
  );
}

const OF_A_WRITE = { 503: `${String(REPLICATED_REFUSALS[503])}; also when this replica does not reach the app` };
const OF_A_READ = { 503: 'what was asked for is not to be had here now: `detail` says what is missing' };

interface Described {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Json[];
  readonly body?: Json;
  readonly answers: Json;
  readonly refused: readonly number[];
  readonly open?: boolean;
}

function operation({ id, tag, summary, description, parameters = [], body, answers, refused, open }: Described): Json {
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    parameters,
    ...(body && { requestBody: { required: true, content: jsonOf(body) } }),
    responses: { ...answers, ...refusals(refused, body || parameters.includes(IF_MATCH) ? OF_A_WRITE : OF_A_READ) },
    ...(open === true && { security: [{}] }),
  };
}

const answer = (description: string, schema?: Json, headers: Json = {}): Json => ({
  description,
  headers,
  ...(schema && { content: jsonOf(schema) }),
});
const CURRENT = { 304: answer('the copy that If-None-Match names is current', undefined, { ...ETAG, ...REPLICA_SEQ }) };
const NOT_HERE_YET = {
  202: answer(
    'durable at the primary, but not confirmed as its write concern demands, or not here, in time',
    ref('Accepted'),
    {
      Location: header('/operations/{id}: where to ask about it'),
      ...COMMIT,
    },
  ),
};
const PASSED_ON = 'Passed on to the primary, and answered once this replica holds it.';

const about = (id: string, summary: string, schema: Json, refused: readonly number[], open = false): Json => ({
  get: operation({ id, tag: 'about', summary, answers: { 200: answer(summary, schema) }, refused, open }),
});

const CUSTOMERS = {
  get: operation({
    id: 'listCustomers',
    tag: 'customers',
    summary: 'Customers in id order, as this replica holds them',
    parameters: [...PAGE, MIN_SEQ],
    answers: {
      200: answer(
        'an array in id order',
        { type: 'array', items: ref('Customer') },
        {
          'X-Total-Count': header('how many there are in all'),
          Link: header('rel="next" while more remain'),
          ...REPLICA_SEQ,
        },
      ),
    },
    refused: [400, ...EVERYWHERE, 503],
  }),
  post: operation({
    id: 'createCustomer',
    tag: 'customers',
    summary: 'Add a customer',
    description: PASSED_ON,
    parameters: WRITE,
    body: ref('CustomerInput'),
    answers: {
      201: answer('created, durable, and here', ref('Customer'), {
        Location: header('path of the new resource'),
        ...ETAG,
        ...COMMIT,
      }),
      ...NOT_HERE_YET,
    },
    refused: OF_WRITES,
  }),
};

const CUSTOMER = {
  get: operation({
    id: 'readCustomer',
    tag: 'customers',
    summary: 'One customer, as this replica holds it',
    parameters: [ID, MIN_SEQ, IF_NONE_MATCH],
    answers: { 200: answer('the resource', ref('Customer'), { ...ETAG, ...REPLICA_SEQ }), ...CURRENT },
    refused: [400, ...EVERYWHERE, 404, 503],
  }),
  put: operation({
    id: 'replaceCustomer',
    tag: 'customers',
    summary: 'Replace a customer; orders_count stays',
    description: PASSED_ON,
    parameters: [ID, IF_MATCH, ...WRITE],
    body: ref('CustomerInput'),
    answers: { 200: answer('replaced, durable, and here', ref('Customer'), { ...ETAG, ...COMMIT }), ...NOT_HERE_YET },
    refused: [...OF_WRITES, 404, 412],
  }),
  delete: operation({
    id: 'deleteCustomer',
    tag: 'customers',
    summary: 'Remove a customer',
    description: PASSED_ON,
    parameters: [ID, IF_MATCH, ...WRITE],
    answers: { 204: answer('gone, durably, also from here', undefined, COMMIT), ...NOT_HERE_YET },
    refused: [...OF_WRITES, 404, 412],
  }),
};

const OPERATION = {
  get: operation({
    id: 'readOperation',
    tag: 'operations',
    summary: 'What became of a write; asked of the primary',
    parameters: [OPERATION_ID],
    answers: { 200: answer('the operation and its answer', ref('Operation')) },
    refused: [...EVERYWHERE, 404, 503],
  }),
};

const METRICS = {
  get: operation({
    id: 'readMetrics',
    tag: 'about',
    summary: 'Metrics in the text format of Prometheus',
    answers: { 200: { description: 'the metrics', content: { 'text/plain': { schema: text } } } },
    refused: EVERYWHERE,
  }),
};

/** The replica's API as OpenAPI 3.0, made of the schemas that the answers have. */
export function openApiDocument(): Json {
  return {
    openapi: '3.0.3',
    info: {
      title: 'Bifolio replica',
      description:
        'Customers, as one of the replicas holds them. Writes are passed on to the primary. What lies under /replication/ is ' +
        'between the nodes: it needs the cluster secret and is not described here.',
      version: packageVersion(),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/' }],
    security: [{}, { apiKey: [] }, { bearer: [] }],
    tags: ['customers', 'operations', 'about'].map((name) => ({ name })),
    paths: {
      '/': about('readNode', 'What this is and where the rest is', ref('Node'), EVERYWHERE),
      '/customers': CUSTOMERS,
      '/customers/{id}': CUSTOMER,
      '/operations/{id}': OPERATION,
      '/health/live': about('readLive', 'Whether the process answers; open to everyone', ref('Live'), [], true),
      '/health/ready': about('readReady', 'Whether the primary is there', ref('Ready'), [...EVERYWHERE, 503]),
      '/metrics': METRICS,
    },
    components: {
      schemas: { ...jsonSchemas(), Problem: problemJsonSchema() },
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

/** All of them together, so that each refers to the others by name. */
function jsonSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { target: 'openapi-3.0', io: 'input', uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $id: _id, id: _ownId, $schema: _dialect, ...schema }]) => [name, schema]),
  );
}
