import { REFUSALS } from '../../platform/http/index.js';

export type Json = Readonly<Record<string, unknown>>;

export const text = { type: 'string' };
export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
export const jsonOf = (schema: Json): Json => ({ 'application/json': { schema } });
export const header = (description: string, example?: string): Json => ({ description, schema: { ...text, example } });

export const parameter = (place: string, name: string, description: string, schema: Json, more: Json = {}): Json => ({
  name,
  in: place,
  description,
  schema,
  ...more,
});
export const wholeNumber = (minimum: number): Json => ({ type: 'integer', minimum });
export const IDEMPOTENCY_KEY = parameter(
  'header',
  'Idempotency-Key',
  '1 to 255 printable characters: the write takes effect once',
  text,
);

export const OF_A_READ = { 503: 'what was asked for is not to be had here now: `detail` says what is missing' };
export const EVERYWHERE = [401, 403, 429];
export const OF_WRITES = [400, 401, 403, 413, 415, 422, 429, 503, 504];

function refusals(statuses: readonly number[], known: Readonly<Record<number, string>>): Json {
  const content = { 'application/problem+json': { schema: ref('Problem') } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: known[status] ?? REFUSALS[status], content }]),
  );
}

export interface Described {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Json[];
  readonly body?: Json;
  readonly answers: Json;
  readonly refused: readonly number[];
  /** What these refusals mean here, where that is more than everywhere. */
  readonly meaning?: Readonly<Record<number, string>>;
  readonly open?: boolean;
}

export function operation({
  id,
  tag,
  summary,
  description,
  parameters = [],
  body,
  answers,
  refused,
  meaning = {},
  open,
}: Described): Json {
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    parameters,
    ...(body && { requestBody: { required: true, content: jsonOf(body) } }),
    responses: { ...answers, ...refusals(refused, meaning) },
    ...(open === true && { security: [{}] }),
  };
}

export const answer = (description: string, schema?: Json, headers: Json = {}): Json => ({
  description,
  headers,
  ...(schema && { content: jsonOf(schema) }),
});
