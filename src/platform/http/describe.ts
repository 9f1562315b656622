import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { REFUSALS, REPLICATED_REFUSALS } from './refusals.js';
import { acceptedSchema } from './schemas.js';

interface Described {
  readonly summary: string;
  readonly description?: string;
}

/** What the ids of a resource look like. */
export interface IdDescription {
  readonly description: string;
  readonly schema: Readonly<Record<string, string | number>>;
  readonly example: string | number;
}

interface DescribedResource extends Described {
  readonly resource: z.ZodType;
  /** Absent: whole numbers from 1; of a POST: its path has none, as the server gives it. */
  readonly ids?: IdDescription;
  /** The answer says in `X-Cache` where it came from. */
  readonly cached?: boolean;
  /** Customer, document-user and two-phase writes: `X-Write-Concern`, `X-Commit`, `X-Replicas-Acked`. */
  readonly replicated?: boolean;
  /** Of a read of documents: takes `min_seq`. */
  readonly minSeq?: boolean;
  /** False: the answer to a POST is more than the resource, and has no `ETag`. */
  readonly hasEtag?: boolean;
  /** Beyond those that its method may give everywhere. */
  readonly refusals?: readonly number[];
}

/** A POST that makes nothing new. */
interface DescribedAction extends Described {
  readonly shown: z.ZodType;
  /** Of the resource that it acts on; absent: on none. */
  readonly ids?: IdDescription;
  /** True: it is told nothing, so that its body may be absent or an empty object. */
  readonly bodiless?: boolean;
  readonly refusals?: readonly number[];
}

/** What is not a stored resource: the service itself. */
interface DescribedView extends Described {
  readonly shown: z.ZodType;
  /** Beyond the refusals that every route may give. */
  readonly refusals?: readonly number[];
  /** Needs no key and is never limited. */
  readonly open?: boolean;
}

interface DescribedList extends Described {
  readonly item: z.ZodType;
  readonly cached?: boolean;
  /** Of documents: takes `min_seq`. */
  readonly minSeq?: boolean;
  /** Absent: whole numbers from 1. */
  readonly ids?: IdDescription;
  /** What else the list may be asked for: a query parameter and its values. */
  readonly filter?: { readonly name: string; readonly description: string; readonly values: readonly string[] };
}

type Decorator = MethodDecorator & ClassDecorator;
type Headers = Record<string, { description: string; schema: { type: 'string'; example?: string } }>;

const TEXT: { type: 'string' } = { type: 'string' };
const WHOLE_NUMBERS: IdDescription = {
  description: 'a whole number from 1',
  schema: { type: 'integer', minimum: 1 },
  example: 1,
};
/* Optional headers have no examples: Swagger UI fills them in, and sends what nobody meant. */
const IF_NONE_MATCH = ApiHeader({ name: 'If-None-Match', description: 'an ETag: 304 while it is current' });
const IF_MATCH = ApiHeader({ name: 'If-Match', description: 'ETags, or *: 412 unless one is current' });
const IF_NONE_MATCHES = ApiHeader({ name: 'If-None-Match', description: 'ETags, or *: 412 when one is current' });
const IDEMPOTENCY_KEY = ApiHeader({
  name: 'Idempotency-Key',
  description: '1 to 255 printable characters: the write takes effect once, a repeat gets the same answer',
});
const MIN_SEQ = ApiQuery({
  name: 'min_seq',
  required: false,
  description: 'X-Commit of a write: the answer is not older; waits up to READ_WAIT_MS, then 503',
  schema: { type: 'string', pattern: '^\\d+\\.\\d+$' },
});
const NO_BODY = ApiBody({
  required: false,
  description: 'none, or an object without fields',
  schema: { type: 'object', properties: {}, additionalProperties: false, example: {} },
});
const WRITE_CONCERN = ApiHeader({
  name: 'X-Write-Concern',
  description:
    'who must hold the write before it is answered as done: `all` replicas in sync, a `majority` of all nodes, or the ' +
    '`primary` alone, which promises nothing about replicas. Absent: the setting WRITE_CONCERN, which is `all` unless changed',
  schema: { type: 'string', enum: ['all', 'majority', 'primary'] },
});
const ETAG: Headers = { ETag: { description: 'validator of this representation', schema: TEXT } };
const OF_EVERY_WRITE: Headers = {
  'X-Operation-Id': { description: 'for GET /operations/{id}', schema: TEXT },
  'Idempotency-Replayed': { description: '`true` on the answer to a repeated Idempotency-Key', schema: TEXT },
};
const COMMIT: Headers = {
  'X-Commit': {
    description: 'place of the write in the history: epoch.seq',
    schema: { type: 'string', example: '1.42' },
  },
  'X-Replicas-Acked': {
    description: 'replicas that were known to hold it when it was answered, of those there are',
    schema: { type: 'string', example: '4/4' },
  },
};
const X_CACHE: Headers = { 'X-Cache': { description: 'memory or miss', schema: TEXT } };

const TOO_FEW_REPLICAS = {
  type: 'urn:bifolio:problem:too-few-replicas',
  title: 'Service unavailable',
  status: 503,
  detail: '1 in-sync replicas, and 2 are needed; nothing was written',
  instance: '/customers',
  code: 'too-few-replicas',
};

function refusal(status: number, description = '', example?: object): Decorator {
  const schema = { $ref: '#/components/schemas/Problem' };
  return ApiResponse({
    status,
    description,
    content: { 'application/problem+json': { schema, ...(example && { example }) } },
  });
}

function refusals(...statuses: readonly number[]): Decorator[] {
  return statuses.map((status) => refusal(status, REFUSALS[status]));
}

/** What is special about a write that goes to replicas; described after what it has in common with others. */
function onReplicas(isReplicated: boolean): Decorator[] {
  if (!isReplicated) return [];
  const location: Headers = { Location: { description: '/operations/{id}: where to ask about it', schema: TEXT } };
  return [
    WRITE_CONCERN,
    ApiResponse({
      status: 202,
      description:
        '`committed`: written and durable here, but not confirmed within WRITE_DEADLINE_MS as its write concern demands; it ' +
        'may still be. `running`: a transaction that is not decided yet. Sent again with the same Idempotency-Key, it ' +
        'waits for that again',
      standardSchema: acceptedSchema,
      headers: { ...location, ...writeHeaders(true) },
    }),
    refusal(503, REPLICATED_REFUSALS[503], TOO_FEW_REPLICAS),
  ];
}

function idParameter({ description, schema, example }: IdDescription = WHOLE_NUMBERS): Decorator {
  // Beside a schema, an example of its own is lost.
  return ApiParam({ name: 'id', description, schema: { ...schema, example } });
}

function writeHeaders(replicated = false): Headers {
  return { ...OF_EVERY_WRITE, ...(replicated && COMMIT) };
}

export function DescribeView({ shown, refusals: more = [], open = false, ...operation }: DescribedView): Decorator {
  const everywhere = open ? [400, 421] : [400, 401, 403, 421, 429];
  return applyDecorators(
    ApiOperation({ ...operation, ...(open && { security: [{}] }) }),
    ApiResponse({ status: 200, description: operation.summary, standardSchema: shown }),
    ...refusals(...everywhere, ...more),
  );
}

export function DescribeRead({
  resource,
  ids,
  cached = false,
  minSeq = false,
  ...operation
}: DescribedResource): Decorator {
  return applyDecorators(
    ApiOperation(operation),
    idParameter(ids),
    IF_NONE_MATCH,
    ...(minSeq ? [MIN_SEQ, ...refusals(503)] : []),
    ApiResponse({
      status: 200,
      description: 'the resource',
      standardSchema: resource,
      headers: { ...ETAG, ...(cached && X_CACHE) },
    }),
    ApiResponse({ status: 304, description: 'the copy that If-None-Match names is current' }),
    ...refusals(400, 401, 403, 404, 421, 429),
  );
}

export function DescribeList({
  item,
  ids,
  filter,
  cached = false,
  minSeq = false,
  ...operation
}: DescribedList): Decorator {
  const headers: Headers = {
    'X-Total-Count': { description: 'how many there are in all', schema: TEXT },
    Link: { description: 'rel="next" while more remain', schema: TEXT },
    ...(cached && { ...ETAG, ...X_CACHE }),
  };
  return applyDecorators(
    ApiOperation(operation),
    ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } }),
    ApiQuery({
      name: 'after',
      required: false,
      description: 'only ids above this',
      schema: ids?.schema ?? { type: 'integer', minimum: 0 },
    }),
    ...(filter
      ? [
          ApiQuery({
            name: filter.name,
            required: false,
            description: filter.description,
            schema: { type: 'string', enum: [...filter.values] },
          }),
        ]
      : []),
    ...(minSeq ? [MIN_SEQ, ...refusals(503)] : []),
    ApiResponse({ status: 200, description: 'an array in id order', standardSchema: z.array(item), headers }),
    ...(cached
      ? [IF_NONE_MATCH, ApiResponse({ status: 304, description: 'the copy that If-None-Match names is current' })]
      : []),
    ...refusals(400, 401, 403, 421, 429),
  );
}

export function DescribePost(described: DescribedResource): Decorator {
  const { resource, ids, replicated = false, hasEtag = true, refusals: more = [], ...operation } = described;
  const location: Headers = { Location: { description: 'path of the new resource', schema: TEXT } };
  return applyDecorators(
    ApiOperation(operation),
    ...(ids ? [idParameter(ids)] : []),
    IDEMPOTENCY_KEY,
    ApiResponse({
      status: 201,
      description: 'created, and durable',
      standardSchema: resource,
      headers: { ...location, ...(hasEtag && ETAG), ...writeHeaders(replicated) },
    }),
    ...refusals(400, 401, 403, 413, 415, 421, 422, 429, 503, 504, ...more),
    ...onReplicas(replicated),
  );
}

export function DescribeAction(described: DescribedAction): Decorator {
  const { shown, ids, bodiless = false, refusals: more = [], ...operation } = described;
  return applyDecorators(
    ApiOperation(operation),
    ...(ids ? [idParameter(ids)] : []),
    ...(bodiless ? [NO_BODY] : []),
    IDEMPOTENCY_KEY,
    ApiResponse({ status: 200, description: 'done', standardSchema: shown }),
    ...refusals(400, 401, 403, 413, 415, 421, 422, 429, 503, 504, ...more),
  );
}

export function DescribePut(described: DescribedResource): Decorator {
  const { resource, ids, replicated = false, refusals: more = [], ...operation } = described;
  return applyDecorators(
    ApiOperation(operation),
    idParameter(ids),
    IF_MATCH,
    IF_NONE_MATCHES,
    IDEMPOTENCY_KEY,
    ApiResponse({
      status: 200,
      description: 'replaced, and durable',
      standardSchema: resource,
      headers: { ...ETAG, ...writeHeaders(replicated) },
    }),
    ...refusals(400, 401, 403, 404, 412, 413, 415, 421, 422, 429, 503, 504, ...more),
    ...onReplicas(replicated),
  );
}

export function DescribeDelete({ replicated = false, ...operation }: Described & { replicated?: boolean }): Decorator {
  return applyDecorators(
    ApiOperation(operation),
    idParameter(),
    IF_MATCH,
    IF_NONE_MATCHES,
    IDEMPOTENCY_KEY,
    ApiResponse({ status: 204, description: 'gone, durably', headers: writeHeaders(replicated) }),
    ...refusals(400, 401, 403, 404, 412, 413, 415, 421, 422, 429, 503, 504),
    ...onReplicas(replicated),
  );
}
