import { AppError, type FieldError } from '../../kernel/index.js';

const MAX_FIELDS_NAMED = 100;
const MAX_QUOTED_FIELD_LENGTH = 100;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** The field names of zod's issue about unknown fields. */
  readonly keys?: readonly string[];
}

type Validated<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** The part of Standard Schema that is used here; every zod schema has it. */
export interface BodySchema<T> {
  readonly '~standard': { readonly validate: (value: unknown) => Validated<T> | Promise<Validated<T>> };
}

/**
 * Parses a body with `schema`. A missing body counts as `{}`, so that the answer names the missing fields. Fields in
 * `serverOwned` are ignored, so clients may send back what they received. Throws `validation-failed`.
 */
export function validBody<T>(schema: BodySchema<T>, value: unknown, serverOwned: readonly string[]): T {
  const result = schema['~standard'].validate(withoutServerOwned(value === undefined ? {} : value, serverOwned));
  if (result instanceof Promise) throw new Error('body schemas must be synchronous');
  if (result.issues === undefined) return result.value;
  const fields = result.issues.flatMap(({ path = [], message, keys }): FieldError[] => {
    const at = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
    return (keys ?? [undefined]).map((key) => ({
      field: [...at, ...(key === undefined ? [] : [key])].join('.').slice(0, MAX_QUOTED_FIELD_LENGTH) || 'body',
      message: key === undefined ? message : 'is not a known field',
    }));
  });
  throw invalid(fields);
}

function withoutServerOwned(value: unknown, serverOwned: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (!serverOwned.some((field) => Object.hasOwn(value, field))) return value;
  return Object.fromEntries(Object.entries(value).filter(([field]) => !serverOwned.includes(field)));
}

/** The answer stays small whatever was wrong, and names a field once even if it breaks two rules. */
function invalid(all: readonly FieldError[]): AppError {
  const once = [...new Map(all.map((error) => [`${error.field} ${error.message}`, error])).values()];
  const fields = once.slice(0, MAX_FIELDS_NAMED);
  const more = once.length > fields.length ? [`and ${String(once.length - fields.length)} more`] : [];
  const detail = [...fields.map(({ field, message }) => `${field} ${message}`), ...more].join('; ');
  return new AppError('validation-failed', detail, { retry: 'never', fields });
}
