import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { problemSchema } from './schemas.js';

interface Described {
  readonly summary: string;
  readonly description?: string;
}

interface DescribedResource extends Described {
  readonly resource: z.ZodType;
  /** The answer says in `X-Cache` where it came from. */
  readonly cached?: boolean;
  /** Customer, document-user and two-phase writes: `X-Write-Concern`, `X-Commit`, `X-Replicas-Acked`. */
  readonly replicated?: boolean;
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
}

type Decorator = MethodDecorator & ClassDecorator;
type Headers = Record<string, { description: string; schema: { type: 'string'; example?: string } }>;

const TEXT: { type: 'string' } = { type: 'string' };
const ID = ApiParam({
  name: 'id',
  description: 'a whole number from 1',
  schema: { type: 'integer', minimum: 1 },
  example: 1,
});
const IF_NONE_MATCH = ApiHeader({ name: 'If-None-Match', description: 'an ETag: 304 while it is current' });
const IF_MATCH = ApiHeader({ name: 'If-Match', description: 'an ETag: 412 unless it is current' });
const IDEMPOTENCY_KEY = ApiHeader({
  name: 'Idempotency-Key',
  description: '1 to 255 printable characters: the write takes effect once, a repeat gets the same answer',
});
const WRITE_CONCERN = ApiHeader({ name: 'X-Write-Concern', enum: ['all', 'majority', 'primary'] });
const ETAG: Headers = { ETag: { description: 'validator of this representation', schema: TEXT } };
const OPERATION_ID: Headers = { 'X-Operation-Id': { description: 'for GET /operations/{id}', schema: TEXT } };
const COMMIT: Headers = {
  'X-Commit': {
    description: 'place of the write in the history: epoch.seq',
    schema: { type: 'string', example: '1.42' },
  },
  'X-Replicas-Acked': {
    description: 'replicas that hold it, of those there are',
    schema: { type: 'string', example: '0/0' },
  },
};
const X_CACHE: Headers = { 'X-Cache': { description: 'memory or miss', schema: TEXT } };

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'bad input; `errors` names the fields; nothing was written',
  401: 'no known API key (only where keys are set)',
  403: 'the key may not do this (only where keys are set)',
  404: 'unknown id',
  412: 'If-Match names another version',
  413: 'the body is larger than 1 MiB',
  415: 'the body is not JSON',
  422: 'the Idempotency-Key was sent before with another body',
  429: 'too many requests (only where a limit is set)',
  503: 'not done, nothing was written; try again after Retry-After',
  504: 'may or may not be done: ask GET /operations/{id}, or send it again with the same Idempotency-Key',
};

function refusals(...statuses: readonly number[]): Decorator[] {
  return statuses.map((status) =>
    ApiResponse({
      status,
      description: REFUSALS[status] ?? '',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}

function writeHeaders(replicated = false): Headers {
  return { ...OPERATION_ID, ...(replicated && COMMIT) };
}

export function DescribeView({ shown, refusals: more = [], open = false, ...operation }: DescribedView): Decorator {
  const everywhere = open ? [] : [401, 403, 429];
  return applyDecorators(
    ApiOperation({ ...operation, ...(open && { security: [{}] }) }),
    ApiResponse({ status: 200, description: operation.summary, standardSchema: shown }),
    ...refusals(...everywhere, ...more),
  );
}

export function DescribeRead({ resource, cached = false, ...operation }: DescribedResource): Decorator {
  return applyDecorators(
    ApiOperation(operation),
    ID,
    IF_NONE_MATCH,
    ApiResponse({
      status: 200,
      description: 'the resource',
      standardSchema: resource,
      headers: { ...ETAG, ...(cached && X_CACHE) },
    }),
    ApiResponse({ status: 304, description: 'the copy that If-None-Match names is current' }),
    ...refusals(400, 401, 403, 404, 429),
  );
}

export function DescribeList({ item, cached = false, ...operation }: DescribedList): Decorator {
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
      schema: { type: 'integer', minimum: 0 },
    }),
    ApiResponse({ status: 200, description: 'an array in id order', standardSchema: z.array(item), headers }),
    ...(cached
      ? [IF_NONE_MATCH, ApiResponse({ status: 304, description: 'the copy that If-None-Match names is current' })]
      : []),
    ...refusals(400, 401, 403, 429),
  );
}

export function DescribePost({ resource, replicated = false, ...operation }: DescribedResource): Decorator {
  const location: Headers = { Location: { description: 'path of the new resource', schema: TEXT } };
  return applyDecorators(
    ApiOperation(operation),
    IDEMPOTENCY_KEY,
    ...(replicated ? [WRITE_CONCERN] : []),
    ApiResponse({
      status: 201,
      description: 'created, and durable',
      standardSchema: resource,
      headers: { ...location, ...ETAG, ...writeHeaders(replicated) },
    }),
    ...refusals(400, 401, 403, 413, 415, 422, 429, 503, 504),
  );
}

export function DescribePut({ resource, replicated = false, ...operation }: DescribedResource): Decorator {
  return applyDecorators(
    ApiOperation(operation),
    ID,
    IF_MATCH,
    IDEMPOTENCY_KEY,
    ...(replicated ? [WRITE_CONCERN] : []),
    ApiResponse({
      status: 200,
      description: 'replaced, and durable',
      standardSchema: resource,
      headers: { ...ETAG, ...writeHeaders(replicated) },
    }),
    ...refusals(400, 401, 403, 404, 412, 413, 415, 422, 429, 503, 504),
  );
}

export function DescribeDelete({ replicated = false, ...operation }: Described & { replicated?: boolean }): Decorator {
  return applyDecorators(
    ApiOperation(operation),
    ID,
    IF_MATCH,
    IDEMPOTENCY_KEY,
    ...(replicated ? [WRITE_CONCERN] : []),
    ApiResponse({ status: 204, description: 'gone, durably', headers: writeHeaders(replicated) }),
    ...refusals(400, 401, 403, 404, 412, 413, 415, 422, 429, 503, 504),
  );
}

/** The schema that every refusal refers to; goes into the document once. */
export function problemJsonSchema(): Record<string, unknown> {
  const { $schema: _dialect, id: _id, ...schema } = z.toJSONSchema(problemSchema) as Record<string, unknown>;
  return schema;
}
