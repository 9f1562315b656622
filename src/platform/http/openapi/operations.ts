import { z } from 'zod';
import { acceptedSchema, noBodySchema } from '../schemas.js';
import * as part from './parts.js';
import type { IdDescription, Json, OpenApiOperation, OpenApiParameter, OpenApiResponse } from './parts.js';
import * as refused from './refusals.js';

export interface Described {
  /** The operationId: the same on app and replica. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** Refusals beyond those that every operation of its kind may give. */
  readonly refusals?: refused.Refusals;
  readonly details?: refused.RefusalDetails;
  /** Absent: the body that a controller names, or none. */
  readonly body?: z.ZodType;
  /** True when the body may be absent or an empty object. */
  readonly bodiless?: boolean;
}

export interface DescribedResource extends Described {
  readonly resource: z.ZodType;
  /** Absent: whole numbers from 1, or for a POST no id at all, because the server assigns it. */
  readonly ids?: IdDescription;
  readonly cached?: boolean;
  /** Customer, document-user and two-phase writes: `X-Write-Concern`, `X-Commit`, `X-Replicas-Acked`. */
  readonly replicated?: boolean;
  /** A read of documents, which takes `min_seq`. */
  readonly minSeq?: boolean;
  /** Of a POST: path parameters after the id. */
  readonly parameters?: readonly OpenApiParameter[];
  /** False: the answer to a POST is more than the resource, and has no `ETag`. */
  readonly hasEtag?: boolean;
}

/** A POST that creates nothing. */
export interface DescribedAction extends Described {
  readonly shown: z.ZodType;
  /** The ids of the resource that it acts on; absent when it acts on none. */
  readonly ids?: IdDescription;
  /** Path parameters after the id. */
  readonly parameters?: readonly OpenApiParameter[];
  /** True for a write with an operation record. */
  readonly isRecorded?: boolean;
}

/** A view of something other than a stored resource, such as the service itself. */
export interface DescribedView extends Described {
  readonly shown: z.ZodType;
  /** Absent: JSON. */
  readonly type?: string;
  readonly parameters?: readonly OpenApiParameter[];
  readonly open?: boolean;
}

export interface DescribedList extends Pick<DescribedResource, keyof Described | 'ids' | 'cached' | 'minSeq'> {
  readonly item: z.ZodType;
  /** A further query parameter of the list, and its values. */
  readonly filter?: { readonly name: string; readonly description: string; readonly values: readonly string[] };
}

export interface DescribedOperation extends Described {
  readonly parameters?: readonly OpenApiParameter[];
  readonly responses: Readonly<Record<number, OpenApiResponse>>;
}

export function operation(described: DescribedOperation): OpenApiOperation {
  const {
    id,
    summary,
    description,
    parameters = [],
    body,
    bodiless = false,
    responses,
    refusals = [],
    details,
  } = described;
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    parameters,
    ...(body && { requestBody: part.bodyOf(body) }),
    ...(bodiless && { requestBody: part.bodyOf(noBodySchema, false) }),
    responses: { ...responses, ...refused.refusals(refusals, details) },
  };
}

export function viewOperation(described: DescribedView): OpenApiOperation {
  const { shown, type, open = false, refusals = [] } = described;
  const made = operation({
    ...described,
    responses: { 200: part.response(described.summary, shown, {}, type) },
    refusals: [...(open ? refused.OPEN_REFUSALS : refused.COMMON_REFUSALS), ...refusals],
  });
  return open ? { ...made, security: [{}] } : made;
}

export function readOperation(described: DescribedResource): OpenApiOperation {
  const { resource, ids = part.WHOLE_NUMBERS, cached = false, minSeq = false } = described;
  return operation({
    ...ofId(described, ids, [...refused.COMMON_REFUSALS, 'not-found', 'precondition-failed', ...ofReads(minSeq)]),
    parameters: [part.pathId(ids), ...(minSeq ? [part.MIN_SEQ] : []), ...part.READ_CONDITIONS],
    responses: {
      200: part.response('the resource', resource, { ...part.ETAG, ...(cached && part.X_CACHE) }),
      304: part.NOT_MODIFIED,
    },
  });
}

const ofReads = (minSeq: boolean): refused.Refusals => (minSeq ? ['not-ready'] : []);

/** Adds the refusals of the operation's kind and the refusal of a malformed id. */
function ofId<T extends Described>(described: T, ids: IdDescription | undefined, ofKind: refused.Refusals): T {
  const refusals = [...ofKind, ...(described.refusals ?? [])];
  if (!ids) return { ...described, refusals };
  const details = { 'malformed-id': `${ids.name ?? 'id'} must be ${ids.description}`, ...described.details };
  return { ...described, refusals: [...refusals, 'malformed-id'], details };
}

export function listOperation(described: DescribedList): OpenApiOperation {
  const { item, ids = part.WHOLE_NUMBERS, filter, cached = false, minSeq = false, refusals = [] } = described;
  const after = ids === part.WHOLE_NUMBERS ? { ...ids.schema, minimum: 0 } : ids.schema;
  const choice =
    filter && part.parameter('query', filter.name, filter.description, { ...part.TEXT, enum: filter.values });
  return operation({
    ...described,
    parameters: [
      part.LIMIT,
      part.parameter('query', 'after', 'only ids greater than this one', after),
      ...(choice ? [choice] : []),
      ...(minSeq ? [part.MIN_SEQ] : []),
      ...(cached ? part.READ_CONDITIONS : []),
    ],
    responses: {
      200: part.response('an array in id order', z.array(item), {
        ...part.OF_PAGES,
        ...(cached && { ...part.ETAG, ...part.X_CACHE }),
      }),
      ...(cached && { 304: part.NOT_MODIFIED }),
    },
    refusals: [
      ...refused.COMMON_REFUSALS,
      ...(cached ? (['precondition-failed'] as const) : []),
      ...ofReads(minSeq),
      ...refusals,
    ],
  });
}

export function createOperation(described: DescribedResource): OpenApiOperation {
  const { resource, ids, parameters = [], hasEtag = true } = described;
  const done = part.response('created, and durable', resource, { ...part.LOCATION, ...(hasEtag && part.ETAG) });
  return write(described, 201, done, [...(ids ? [part.pathId(ids)] : []), ...parameters]);
}

export function replaceOperation(described: DescribedResource): OpenApiOperation {
  return writeOfOne(described, 200, part.response('replaced, and durable', described.resource, part.ETAG));
}

type DescribedWrite = Omit<DescribedResource, 'resource'>;

export function removeOperation(described: DescribedWrite): OpenApiOperation {
  return writeOfOne(described, 204, part.response('removed, durably'));
}

function writeOfOne(described: DescribedWrite, status: number, done: OpenApiResponse): OpenApiOperation {
  const { ids = part.WHOLE_NUMBERS, refusals: own = [] } = described;
  const refusals: refused.Refusals = ['not-found', 'precondition-failed', ...own];
  return write({ ...described, ids, refusals }, status, done, [part.pathId(ids), ...part.PRECONDITIONS]);
}

/** A write to SQL alone, or to documents, which have replicas. */
function write(
  described: DescribedWrite,
  status: number,
  done: OpenApiResponse,
  parameters: readonly OpenApiParameter[],
): OpenApiOperation {
  const { replicated = false, ids } = described;
  const headers = { ...part.OF_WRITES, ...(replicated && part.OF_COMMITS) };
  const ofStores: refused.Refusals = replicated ? ['too-few-replicas'] : refused.SQL_REFUSALS;
  return operation({
    ...ofId(described, ids, [...refused.WRITE_REFUSALS, ...ofStores]),
    parameters: [...parameters, part.IDEMPOTENCY_KEY, ...(replicated ? [part.WRITE_CONCERN] : [])],
    responses: {
      [status]: { ...done, headers: { ...done.headers, ...headers } },
      ...(replicated && {
        202: part.response(part.ACCEPTED, acceptedSchema, { ...part.OPERATION_LOCATION, ...headers }),
      }),
    },
  });
}

export function actionOperation({
  shown,
  ids,
  parameters = [],
  isRecorded = false,
  ...described
}: DescribedAction): OpenApiOperation {
  return operation({
    ...ofId(described, ids, [...refused.WRITE_REFUSALS, ...refused.SQL_REFUSALS]),
    parameters: [
      ...(ids ? [part.pathId(ids)] : []),
      ...parameters,
      isRecorded ? part.IDEMPOTENCY_KEY : part.UNKEPT_KEY,
    ],
    responses: { 200: part.response('done', shown, isRecorded ? part.OF_WRITES : {}) },
  });
}

export interface Elsewhere {
  readonly description?: string;
  /** Headers of answers that are not refusals. */
  readonly headers?: Json;
  readonly refusals?: refused.Refusals;
}

/** The same operation on another process, with the additions of that process. */
export function asElsewhere(given: OpenApiOperation, elsewhere: Elsewhere): OpenApiOperation {
  const { headers = {}, refusals = [], ...texts } = elsewhere;
  const responses = Object.entries(given.responses).map(([status, one]) => {
    return [status, Number(status) < 400 ? { ...one, headers: { ...one.headers, ...headers } } : one] as const;
  });
  return { ...given, ...texts, responses: { ...Object.fromEntries(responses), ...refused.refusals(refusals) } };
}
