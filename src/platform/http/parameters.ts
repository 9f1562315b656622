import { AppError } from '../../kernel/index.js';

export interface PageRequest {
  readonly limit: number;
  /** Only ids greater than this. */
  readonly after: number;
}

const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,15})$/;
const DEFAULT_LIMIT = 100;
const MOST_PER_PAGE = 1_000;

/** A path parameter that must be a whole number from 1. */
export function parseId(text: string): number {
  const id = wholeNumber(text);
  if (id === undefined || id < 1) throw malformedField('malformed-id', 'id', 'must be a whole number from 1');
  return id;
}

/** `?limit=` and `?after=` of a list. */
export function parsePage(query: unknown): PageRequest {
  const { limit, after } = query as Readonly<Record<string, unknown>>;
  return {
    limit: limit === undefined ? DEFAULT_LIMIT : queryNumber('limit', limit, 1, MOST_PER_PAGE),
    after: after === undefined ? 0 : queryNumber('after', after, 0, Number.MAX_SAFE_INTEGER),
  };
}

/** `Link` of the page after the one that ends with `lastId`. */
export function nextPageLink(path: string, limit: number, lastId: number | string): string {
  return `<${path}?limit=${String(limit)}&after=${String(lastId)}>; rel="next"`;
}

function queryNumber(field: string, value: unknown, least: number, most: number): number {
  const number = typeof value === 'string' ? wholeNumber(value) : undefined;
  if (number === undefined || number < least || number > most) {
    throw malformedField('validation-failed', field, `must be a whole number from ${String(least)} to ${String(most)}`);
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
