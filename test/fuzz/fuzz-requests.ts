import type { Endpoint, OpenApi, Schema } from '../e2e/support/openapi.js';
import { resolveRef } from '../e2e/support/openapi.js';
import { asPrefilled } from '../e2e/support/swagger-ui.js';
import { SeededRandom } from '../support/seeded-random.js';
import { anyBytes, anyHeaderValue, anyJson, anyParameter, anyText, oneOf } from './fuzz-values.js';

export interface FuzzRequest {
  readonly endpoint: Endpoint;
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** Name and value, one after the other; a name may come twice. */
  readonly headers: readonly string[];
  readonly body: string | undefined;
  /** False: method or path are not those of the endpoint any more, so that any refusal of a path is right. */
  readonly isOfEndpoint: boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: Schema;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];
const TYPES = [
  'text/plain',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'application/JSON; charset=utf-8',
  'json',
  '',
];
/** Of headers that hold whole numbers which may be larger than those of JSON. */
const VERSION_PATTERN = '^[1-9]\\d{0,29}$';
const SMALL_IDS = 12;
/** Larger than what one seed needs for a request. */
const STRIDE = 7_919;

/** The request with this number. The same seed, number and document give the same one. */
export function fuzzRequest(
  document: OpenApi,
  endpoints: readonly Endpoint[],
  seed: number,
  number: number,
): FuzzRequest {
  const random = new SeededRandom(seed * STRIDE + number);
  random.below(1);
  const endpoint = oneOf(random, endpoints);
  const sample = asPrefilled(document, endpoint);
  const parameters = endpoint.operation.parameters as readonly Parameter[];
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => pathValue(random, document, parameters, name));
  const method = random.chance(0.04) ? oneOf(random, METHODS) : endpoint.method;
  const odd = random.chance(0.06) ? oddTarget(random, path) : path;
  const hasBody = sample.asking.json !== undefined ? random.chance(0.95) : random.chance(0.05);
  const body = hasBody ? bodyOf(random, document, endpoint, sample.asking.json) : undefined;
  // Another method may be another endpoint.
  const asked = endpoints.find((one) => one.method === method && one.path === endpoint.path);
  return {
    ...{ endpoint: asked ?? endpoint, method, body, target: `${odd}${queryOf(random, parameters)}` },
    headers: headersOf(random, parameters, body),
    isOfEndpoint: asked !== undefined && odd === path && !path.split('/').slice(1).includes(''),
  };
}

function pathValue(random: SeededRandom, document: OpenApi, parameters: readonly Parameter[], name: string): string {
  const { schema = {} } = parameters.find((one) => one.in === 'path' && one.name === name) ?? {};
  if (random.chance(0.2)) return anyParameter(random);
  if (schema.type === 'integer') return String(1 + random.below(SMALL_IDS));
  const { example } = schema;
  return random.chance(0.5) && typeof example === 'string'
    ? example
    : `${document.info.title.length}-${random.below(SMALL_IDS)}`;
}

function oddTarget(random: SeededRandom, path: string): string {
  const turns: readonly ((at: string) => string)[] = [
    (at) => `${at}/`,
    (at) => `${at}//`,
    (at) => `/${at}`,
    (at) => at.toUpperCase(),
    (at) => at.replaceAll('o', '%6f'),
    (at) => `${at}/more`,
    (at) => `${at}/..`,
    (at) => `/./${at}`,
    (at) => `${at};a=b`,
    (at) => `${at}%00`,
    (at) => `http://127.0.0.1${at}`,
    (at) => `http://[::1]:99999${at}`,
    () => '*',
    () => '//',
    () => `/${'a/'.repeat(2_000)}`,
    () => `/${'%41'.repeat(1_100)}`,
  ];
  return oneOf(random, turns)(path);
}

function queryOf(random: SeededRandom, parameters: readonly Parameter[]): string {
  const declared = parameters.filter((one) => one.in === 'query' && random.chance(0.4));
  const pairs = declared.map(({ name, schema }) => {
    const valid = schema?.enum ? String(oneOf(random, schema.enum)) : String(random.below(1_000));
    return `${name}=${random.chance(0.6) ? valid : anyParameter(random)}`;
  });
  if (random.chance(0.03))
    pairs.push(`${encodeURIComponent(oneOf(random, ['unknown', 'limit', '__proto__', 'min_seq']))}=1`);
  if (random.chance(0.02) && pairs[0] !== undefined) pairs.push(pairs[0]);
  if (random.chance(0.01)) return oneOf(random, ['?', '??', '?&&=&', '?%zz=%zz', '?a[b]=1&a[c]=2']);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function headersOf(random: SeededRandom, parameters: readonly Parameter[], body: string | undefined): string[] {
  const lines: [string, string][] = [];
  if (body !== undefined) lines.push(['content-type', random.chance(0.95) ? 'application/json' : oneOf(random, TYPES)]);
  for (const { name, schema } of parameters.filter((one) => one.in === 'header')) {
    if (!random.chance(0.15)) continue;
    const valid = schema?.enum
      ? String(oneOf(random, schema.enum))
      : schema?.type === 'integer' || schema?.pattern === VERSION_PATTERN
        ? String(1 + random.below(50))
        : `h-${random.below(500)}`;
    lines.push([name, random.chance(0.6) ? valid : anyHeaderValue(random)]);
    if (random.chance(0.05)) lines.push([name, anyHeaderValue(random)]);
  }
  if (random.chance(0.03)) {
    const others = [
      'accept',
      'x-request-id',
      'content-encoding',
      'accept-encoding',
      'x-http-method-override',
      'forwarded',
      'x-forwarded-for',
      'cookie',
      'range',
      'authorization',
      'x-api-key',
      'origin',
    ];
    lines.push([oneOf(random, others), anyHeaderValue(random)]);
  }
  return lines.flat();
}

function bodyOf(random: SeededRandom, document: OpenApi, endpoint: Endpoint, sample: unknown): string {
  if (random.chance(0.08)) return anyBytes(random);
  if (random.chance(0.04)) return JSON.stringify(anyJson(random));
  const schema = endpoint.operation.requestBody?.content['application/json']?.schema;
  const fields = { ...(sample as Record<string, unknown> | undefined) };
  const known = schema?.$ref === undefined ? schema : (resolveRef(document, schema.$ref) as Schema);
  for (const name of Object.keys(known?.properties ?? {})) {
    if (random.chance(0.12)) fields[name] = anyJson(random);
    if (random.chance(0.04)) Reflect.deleteProperty(fields, name);
    if (random.chance(0.3) && typeof fields[name] === 'string' && name.endsWith('Id'))
      fields[name] = `g-${random.below(40)}`;
  }
  if (random.chance(0.04)) fields[anyText(random)] = anyJson(random);
  return JSON.stringify(fields);
}
