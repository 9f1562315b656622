import { REFUSALS } from '../../../platform/http/index.js';

/** What the descriptions of all topics are made of. */
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
/** Refusals that any route may answer, 400 to a query that it does not know. */
export const EVERYWHERE = [400, 401, 403, 421, 429];

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
  /** Statuses of refusals. */
  readonly refused: readonly number[];
  /** What a status means here, where that is more than everywhere. */
  readonly known?: Readonly<Record<number, string>>;
  readonly open?: boolean;
}

export function operation(described: Described): Json {
  const { id, tag, summary, description, parameters = [], body, answers, refused, known = {}, open } = described;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    parameters,
    ...(body && { requestBody: { required: true, content: jsonOf(body) } }),
    responses: { ...answers, ...refusals(refused, known) },
    ...(open === true && { security: [{}] }),
  };
}

export const answer = (description: string, schema?: Json, headers: Json = {}): Json => ({
  description,
  headers,
  ...(schema && { content: jsonOf(schema) }),
});
