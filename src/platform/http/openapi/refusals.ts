import { AppError, type ErrorCode } from '../../../kernel/index.js';
import { problemOf, type ProblemShape } from '../problem.js';
import { STATUS_OF } from '../status.js';
import type { OpenApiResponse } from './parts.js';

/** A sample `detail` for each code. */
const DETAILS = {
  'validation-failed': 'limi is not a known query',
  'malformed-json': 'the body is not JSON: Unexpected end of JSON input',
  'malformed-id': 'id must be a whole number from 1',
  exists: 'group 1 already exists',
  unauthorized: 'send a valid API key as X-Api-Key or Authorization: Bearer',
  forbidden: 'this request needs the role write or operator, but the key has the role read',
  'not-found': 'no resource has this id',
  conflict: 'a transaction that is not decided yet holds this id',
  'too-little-stock': '2 of item 7 are in stock, which is less than 5',
  'too-little-credit': 'user 7 has a credit of 10, which is less than 25',
  'credit-held': 'the credit of user 7 is held for another checkout; nothing was taken',
  undone: 'operation 7 was undone on this node, so it has no effect',
  overtaken: 'group 1 is unchanged: an operation with a version above 7 has deleted it',
  'precondition-failed': 'the current version does not match If-Match',
  'body-too-large': 'a body may be at most 1 MiB',
  'unsupported-media-type': 'send the body as uncompressed application/json',
  misdirected: '"shop.example" is not served here: call 127.0.0.1 or localhost, or add the name to ALLOWED_HOSTS',
  'idempotency-key-reused': 'this Idempotency-Key was used before with a different body',
  'rate-limited': 'more than 600 requests in one minute',
  'too-many-keys':
    'this caller has used the maximum of 2000000 Idempotency-Keys and operation ids in 24 hours (IDEMPOTENCY_KEYS)',
  'too-many-checkouts': '10000 checkouts are already in progress; nothing was written',
  'too-many-hashes': '4000 passwords already wait to be hashed; nothing was written',
  'too-many-logins': 'this account was asked for with a wrong password too often: try again later',
  overloaded: '5000 writes are already in progress; nothing was written',
  'not-ready': 'not ready: the first data is being written; nothing was done',
  'too-few-replicas': '1 in-sync replicas, and 2 are needed; nothing was written',
  'storage-full': 'the disk is full; nothing was written',
  'storage-damaged': 'a file was removed or replaced while it was in use; nothing was written',
  'storage-busy': 'another program has locked the database; nothing was written',
  'storage-read-only': 'the database file cannot be written; nothing was written',
  'shutting-down': 'this process is stopping; nothing was done',
  'outcome-unknown': 'the commit failed',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** The details of these codes begin with the field. */
const NAMING_FIELDS: ReadonlySet<string> = new Set(['validation-failed', 'malformed-id']);

export type Refusals = readonly (keyof typeof DETAILS)[];
export type RefusalDetails = Readonly<Partial<Record<keyof typeof DETAILS, string>>>;

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'Bad input; `errors` names the fields; nothing was written.',
  401: 'The request has no valid API key (only when API keys are set).',
  403: 'The role of the API key does not allow this request, or a page of another web site sent the write.',
  404: 'Unknown id.',
  409: 'The write contradicts the current state, or another write holds the resource (then with Retry-After); nothing was written.',
  412: 'The condition in `If-Match` or `If-None-Match` is false; nothing was written.',
  413: 'The body is too large.',
  415: 'The body is compressed, or its Content-Type is not JSON.',
  421: 'The server does not serve this Host (only when no API keys are set).',
  422: 'The key or operation id was used before for a different request; nothing was written.',
  429: 'Too many requests (only when a limit is set) or keys; nothing was written; try again after Retry-After.',
  503: 'The request was not carried out; nothing was written; try again after Retry-After.',
  504: 'The write may or may not have happened: read the operation, or send the request again with the same key or id.',
};

export const OPEN_REFUSALS: Refusals = ['validation-failed', 'misdirected'];
/** Refusals of any route that needs a key. */
export const COMMON_REFUSALS: Refusals = [...OPEN_REFUSALS, 'unauthorized', 'forbidden', 'rate-limited'];
const OF_BODIES: Refusals = ['malformed-json', 'body-too-large', 'unsupported-media-type'];
const OF_STORES: Refusals = ['overloaded', 'not-ready', 'storage-full', 'storage-damaged', 'shutting-down'];
export const CHANGE_REFUSALS: Refusals = [...COMMON_REFUSALS, ...OF_BODIES, ...OF_STORES, 'outcome-unknown'];
export const WRITE_REFUSALS: Refusals = [...CHANGE_REFUSALS, 'idempotency-key-reused', 'too-many-keys'];
export const SQL_REFUSALS: Refusals = ['storage-busy', 'storage-read-only'];

/** One response per status, with its codes and an example of each; `wholeProblems` completes the examples. */
export function refusals(codes: Refusals, details: RefusalDetails = {}): Record<string, OpenApiResponse> {
  const byStatus = Map.groupBy(new Set(codes), (code) => STATUS_OF[code]);
  const responses = [...byStatus].map(([status, ofStatus]): [number, OpenApiResponse] => {
    const examples = ofStatus.map((code) => [code, { value: details[code] ?? DETAILS[code] }]);
    const names = ofStatus.map((code) => `\`${code}\``).join(', ');
    const schema = { $ref: '#/components/schemas/Problem' };
    const content = { 'application/problem+json': { schema, examples: Object.fromEntries(examples) as object } };
    return [status, { description: `${MEANINGS[status] ?? ''} Code: ${names}`, content }];
  });
  return Object.fromEntries(responses);
}

/** The examples of one response, each a whole problem for this path. */
export function wholeProblems(examples: object, instance: string, shape: ProblemShape): object {
  const problems = Object.entries(examples).map(([code, { value: detail }]: [string, { value: string }]) => {
    const [field = '', ...words] = detail.split(' ');
    const fields = NAMING_FIELDS.has(code) ? [{ field, message: words.join(' ') }] : [];
    const error = new AppError(code as ErrorCode, detail, { retry: 'never', fields });
    return [code, { value: problemOf(error, instance, shape) }];
  });
  return Object.fromEntries(problems) as object;
}
