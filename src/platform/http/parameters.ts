import { AppError } from '../../kernel/index.js';

export interface PageRequest {
  readonly limit: number;
  readonly after: number;
}

/** A page of a list whose ids are text, in the order of their characters. */
export interface TextPageRequest {
  readonly limit: number;
  /** Only ids greater than this; empty: from the first. */
  readonly after: string;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const UUID_RULE = 'must be a UUID in lower case';
const SHOP_ID = /^[\w-]{1,64}$/;
const SHOP_ID_RULE = 'must be 1 to 64 letters, digits, hyphens or underscores';
const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,15})$/;
const DEFAULT_LIMIT = 100;
const MAX_PER_PAGE = 1_000;

/** Parses a path parameter that must be a whole number from 1. */
export function parseId(text: string): number {
  const id = wholeNumber(text);
  if (id === undefined || id < 1) throw malformedField('malformed-id', 'id', 'must be a whole number from 1');
  return id;
}

/** Parses a path parameter that is the id of an item, a user or an order of the shop. */
export function parseShopId(text: string, field: string): string {
  if (!SHOP_ID.test(text)) throw malformedField('malformed-id', field, SHOP_ID_RULE);
  return text;
}

/** Parses a path parameter that is an amount, a price or a quantity. Throws `validation-failed`. */
export function parseAmount(text: string, field: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  return numberIn(field, text, min, max);
}

export function parseUuid(text: string): string {
  if (!UUID.test(text)) throw malformedField('malformed-id', 'id', UUID_RULE);
  return text;
}

/** `?limit=` and `?after=` of a list whose ids are UUIDs. */
export function parseUuidPage(query: unknown): TextPageRequest {
  const { limit, after = '' } = query as Readonly<Record<string, unknown>>;
  const isUuid = typeof after === 'string' && UUID.test(after);
  if (!isUuid && 'after' in (query as object)) throw malformedField('validation-failed', 'after', UUID_RULE);
  return { limit: limitOf(limit), after: isUuid ? after : '' };
}

/** A query parameter that must be one of `values`; undefined when it is absent. */
export function parseChoice<T extends string>(query: unknown, name: string, values: readonly T[]): T | undefined {
  const given = (query as Readonly<Record<string, unknown>>)[name];
  if (given === undefined) return undefined;
  const found = values.find((value) => value === given);
  if (found === undefined) throw malformedField('validation-failed', name, `must be one of ${values.join(', ')}`);
  return found;
}

export function parsePage(query: unknown): PageRequest {
  const { limit, after } = query as Readonly<Record<string, unknown>>;
  return {
    limit: limitOf(limit),
    after: after === undefined ? 0 : numberIn('after', after, 0, Number.MAX_SAFE_INTEGER),
  };
}

/** The `Link` to the page after the one that ends with `lastId`. Keeps all other query parameters. */
export function nextPageLink(path: string, query: unknown, limit: number, lastId: number | string): string {
  const next = new URLSearchParams(Object.entries(query as object).flatMap(pairs));
  for (const own of ['limit', 'after']) next.delete(own);
  next.append('limit', String(limit));
  next.append('after', String(lastId));
  return `<${path}?${next.toString()}>; rel="next"`;
}

/** A repeated name has several values. */
function pairs([name, values]: [string, unknown]): [string, string][] {
  return [values].flat().map((value) => [name, String(value)]);
}

function limitOf(limit: unknown): number {
  return limit === undefined ? DEFAULT_LIMIT : numberIn('limit', limit, 1, MAX_PER_PAGE);
}

function numberIn(field: string, value: unknown, min: number, max: number): number {
  const number = typeof value === 'string' ? wholeNumber(value) : undefined;
  if (number === undefined || number < min || number > max) {
    throw malformedField('validation-failed', field, `must be a whole number from ${String(min)} to ${String(max)}`);
  }
  return number;
}

function wholeNumber(text: string): number | undefined {
  const number = WHOLE_NUMBER.test(text) ? Number(text) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** A refusal that names one field of the request. */
export function malformedField(code: 'malformed-id' | 'validation-failed', field: string, message: string): AppError {
  return new AppError(code, `${field} ${message}`, { retry: 'never', fields: [{ field, message }] });
}
