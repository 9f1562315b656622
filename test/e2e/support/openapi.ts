import type { Client } from './client.js';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly example?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
}

export interface ApiResponse {
  readonly description?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, ApiMedia>>;
}

export interface ApiMedia {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<Record<string, ApiResponse>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export async function fetchOpenApi(client: Client): Promise<OpenApi> {
  return (await client.get('/docs-json')).json<OpenApi>();
}

export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function endpointsOf({ paths }: OpenApi): Endpoint[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** What a local `$ref` such as `#/components/schemas/Book` points to; undefined when that is nothing. */
export function resolveRef(document: OpenApi, ref: string): unknown {
  const steps = ref.replace(/^#\//, '').split('/');
  return steps.reduce<unknown>((at, step) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }, document);
}

/** Every `$ref` anywhere in a value. */
export function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
}

/** Every object in a document that looks like a schema: it has a `type`, a `$ref` or a `oneOf`. */
export function schemasIn(value: unknown): Schema[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap((one) => schemasIn(one));
  const { type, $ref, oneOf } = value as Schema;
  return typeof type === 'string' || $ref !== undefined || oneOf !== undefined ? [value, ...inner] : inner;
}

/** The example that a schema gives, put together from those of its properties; what may be absent and has none is. */
export function exampleOf(document: OpenApi, schema: Schema): unknown {
  if (schema.$ref !== undefined) return exampleOf(document, resolveRef(document, schema.$ref) as Schema);
  if (schema.example !== undefined) return schema.example;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.items !== undefined) return [exampleOf(document, schema.items)];
  if (schema.properties === undefined) return undefined;
  const members = Object.entries(schema.properties).map(([name, inner]) => [name, exampleOf(document, inner)] as const);
  const isShown = (name: string, value: unknown): boolean =>
    value !== undefined || schema.required?.includes(name) === true;
  return Object.fromEntries(members.filter(([name, value]) => isShown(name, value)));
}

/** Whether a value has the fields a schema names, each of its type. Enough to see that a document tells the truth. */
export function mismatches(document: OpenApi, schema: Schema, value: unknown, at = '$'): string[] {
  if (schema.$ref !== undefined) return mismatches(document, resolveRef(document, schema.$ref) as Schema, value, at);
  if (schema.nullable === true && value === null) return [];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at} is none of ${String(schema.enum)}`];
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
      const fields = value as Record<string, unknown>;
      const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(fields, name));
      const known = Object.entries(schema.properties ?? {}).filter(([name]) => Object.hasOwn(fields, name));
      const unknown = schema.properties ? Object.keys(fields).filter((name) => !schema.properties?.[name]) : [];
      return [
        ...missing.map((name) => `${at}.${name} is missing`),
        ...unknown.map((name) => `${at}.${name} is not in the document`),
        ...known.flatMap(([name, inner]) => mismatches(document, inner, fields[name], `${at}.${name}`)),
      ];
    }
    case 'array':
      if (!Array.isArray(value)) return [`${at} is no array`];
      return value.flatMap((item, n) => mismatches(document, schema.items ?? {}, item, `${at}[${String(n)}]`));
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at} is no integer`];
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === schema.type ? [] : [`${at} is no ${schema.type}`];
    case undefined:
    default:
      return [];
  }
}
