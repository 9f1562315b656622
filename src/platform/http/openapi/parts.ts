import { z } from 'zod';

/** The parts of operation descriptions, in the form of OpenAPI 3.0, for both the app and the replica. */
export type Json = Readonly<Record<string, unknown>>;

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required: boolean;
  readonly schema: Json;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Json;
  readonly content?: Readonly<Record<string, { readonly schema: Json; examples?: object }>>;
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Json[];
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Json };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

/** The form of a resource's ids. */
export interface IdDescription {
  /** The name of the path parameter; absent: `id`. */
  readonly name?: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, string | number>>;
  readonly example: string | number;
}

export const TEXT = { type: 'string' } as const;
export const WHOLE_NUMBERS: IdDescription = {
  description: 'a whole number from 1',
  schema: { type: 'integer', format: 'int64', minimum: 1 },
  example: 1,
};

/** Ids of items, users and orders of the shop, as `parseShopId` takes them. */
export const SHOP_IDS: IdDescription = {
  description: '1 to 64 letters, digits, hyphens or underscores',
  schema: { ...TEXT, pattern: '^[\\w-]{1,64}$' },
  example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77',
};

/** Refers to a schema with an id by name; inlines any other. */
export function schemaOf(schema: z.ZodType): Json {
  const id = schema.meta()?.id;
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` };
  if (schema instanceof z.ZodArray) return { type: 'array', items: schemaOf(schema.element as z.ZodType) };
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return json;
}

export const response = (
  description: string,
  schema?: z.ZodType,
  headers: Json = {},
  type = 'application/json',
): OpenApiResponse => ({
  description,
  headers,
  ...(schema && { content: { [type]: { schema: schemaOf(schema) } } }),
});

export const bodyOf = (schema: z.ZodType, required = true): NonNullable<OpenApiOperation['requestBody']> => ({
  required,
  content: { 'application/json': { schema: schemaOf(schema) } },
});

export const header = (description: string, example?: string): Json => ({ description, schema: { ...TEXT, example } });

export function parameter(
  place: OpenApiParameter['in'],
  name: string,
  description: string,
  schema: Json = TEXT,
): OpenApiParameter {
  return { name, in: place, description, required: place === 'path', schema };
}

export const pathId = ({ name = 'id', description, schema, example }: IdDescription): OpenApiParameter =>
  parameter('path', name, description, { ...schema, example });

/** A whole number from 0 in a path, as `parseAmount` takes it. */
export const pathNumber = (
  name: string,
  description: string,
  example: number,
  maximum = Number.MAX_SAFE_INTEGER,
  minimum = 0,
): OpenApiParameter =>
  parameter('path', name, description, { type: 'integer', format: 'int64', minimum, maximum, example });

/** Optional parameters have no examples: Swagger UI fills them in and sends values that the user did not choose. */
export const MIN_SEQ = parameter(
  'query',
  'min_seq',
  '`X-Commit` of a write: the answer includes that write; waits up to READ_WAIT_MS, then 503',
  { ...TEXT, pattern: '^\\d+\\.\\d+$' },
);
const IF_NONE_MATCH = parameter('header', 'If-None-Match', 'ETags, or *: 304 when one is current');
const IF_MATCH = parameter('header', 'If-Match', 'ETags, or *: 412 unless one is current');
/** RFC 9110 evaluates both on reads too (13.1.1, 13.2.2). */
export const READ_CONDITIONS = [IF_MATCH, IF_NONE_MATCH];
export const PRECONDITIONS = [IF_MATCH, parameter('header', 'If-None-Match', 'ETags, or *: 412 when one is current')];
export const IDEMPOTENCY_KEY = parameter(
  'header',
  'Idempotency-Key',
  '1 to 255 printable characters: the write takes effect once, and a repeat gets the same answer',
);
/** For actions whose answer is of no use later. */
export const UNKEPT_KEY = parameter(
  'header',
  'Idempotency-Key',
  '1 to 255 printable characters. It is not kept: a repeat is done again, and gets an answer of its own',
);
export const WRITE_CONCERN = parameter(
  'header',
  'X-Write-Concern',
  'Nodes that must hold the write before the answer confirms it: `all` in-sync replicas, a `majority` of all nodes, or ' +
    'only the `primary`, which promises nothing about replicas. Default: the setting WRITE_CONCERN (`all`)',
  { ...TEXT, enum: ['all', 'majority', 'primary'] },
);

const PAGE_SIZES = { type: 'integer', minimum: 1, maximum: 1000, default: 100 };
export const LIMIT = parameter('query', 'limit', 'maximum number of items', PAGE_SIZES);

export const ETAG = { ETag: header('validator of this representation') };
export const X_CACHE = { 'X-Cache': header('source of the answer: `memory`, `redis` or `miss`') };
export const LOCATION = { Location: header('path of the new resource') };
export const OPERATION_LOCATION = {
  Location: header('path of the operation, `/operations/{id}`, which reports its outcome'),
};
export const OF_PAGES = {
  'X-Total-Count': header('number of resources in the whole list'),
  Link: header('the next page (`rel="next"`), while more resources remain'),
};
export const REPLAYED = { 'Idempotency-Replayed': header('`true` on the answer to a repeated Idempotency-Key') };
export const OF_WRITES = { 'X-Operation-Id': header('id of the write, for `GET /operations/{id}`'), ...REPLAYED };
export const OF_COMMITS = {
  'X-Commit': header('log position of the write: epoch.seq', '1.42'),
  'X-Replicas-Acked': header(
    'number of replicas known to hold the write at the time of the answer / number of replicas',
    '4/4',
  ),
};

export const NOT_MODIFIED = response('an ETag in `If-None-Match` is current', undefined, ETAG);
export const ACCEPTED =
  '`committed`: durable, but the write concern was not met within WRITE_DEADLINE_MS; it may still be met. ' +
  '`running`: a transaction that is not decided yet. A repeat with the same Idempotency-Key waits again';
