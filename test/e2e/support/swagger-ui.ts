import { type Endpoint, type OpenApi, resolveRef, type Schema } from './openapi.js';
import type { Asking } from './client.js';

type Examples = Readonly<Record<string, { readonly value?: unknown }>>;

/** As OpenAPI has them: those that Swagger UI looks at when it fills a field in. */
export interface PrefilledParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly example?: unknown;
  readonly examples?: Examples;
  readonly schema?: Schema & { readonly default?: unknown };
}

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Examples;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly asking: Asking;
}

/** What Swagger UI fills into the field of a parameter; undefined when it leaves it empty. */
export function prefilledValue({ example, examples, schema = {} }: PrefilledParameter): unknown {
  return firstOf(examples) ?? example ?? schema.example ?? schema.default;
}

/** The request that Swagger UI sends when a person opens an operation and presses "Execute". */
export function asPrefilled(document: OpenApi, { method, path, operation }: Endpoint): Request {
  const parameters = operation.parameters as readonly PrefilledParameter[];
  const filled = parameters
    .map((one) => ({ ...one, value: prefilledValue(one) }))
    .filter(({ value }) => value !== undefined);
  const of = (place: string): [string, string][] =>
    filled.filter((one) => one.in === place).map(({ name, value }) => [name, String(value)]);
  const filledPath = of('path').reduce((at, [name, value]) => at.replace(`{${name}}`, encodeURIComponent(value)), path);
  const query = new URLSearchParams(of('query')).toString();
  const media = operation.requestBody?.content['application/json'] as Media | undefined;
  return {
    method,
    path: query === '' ? filledPath : `${filledPath}?${query}`,
    asking: { headers: Object.fromEntries(of('header')), ...(media && { json: sampleBody(document, media) }) },
  };
}

function sampleBody(document: OpenApi, { schema, example, examples }: Media): unknown {
  return firstOf(examples) ?? example ?? sampleOf(document, schema);
}

/** What it makes of a schema: all that it can fill in, fields that may be absent too. */
function sampleOf(document: OpenApi, schema: Schema & { readonly default?: unknown }): unknown {
  if (schema.$ref !== undefined) return sampleOf(document, resolveRef(document, schema.$ref) as Schema);
  const given = schema.example ?? schema.default ?? schema.enum?.[0];
  if (given !== undefined) return given;
  if (schema.oneOf?.[0]) return sampleOf(document, schema.oneOf[0]);
  if (schema.items) return [sampleOf(document, schema.items)];
  if (schema.properties) {
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, inner]) => [name, sampleOf(document, inner)]),
    );
  }
  return { integer: 0, number: 0, boolean: true, object: {} }[schema.type ?? ''] ?? 'string';
}

function firstOf(examples: Examples | undefined): unknown {
  return Object.values(examples ?? {})[0]?.value;
}
