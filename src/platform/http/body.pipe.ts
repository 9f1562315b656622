import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { AppError, type FieldError } from '../../kernel/index.js';

const MOST_FIELDS_NAMED = 100;
const LONGEST_FIELD_NAMED = 100;

type Schema = NonNullable<ArgumentMetadata['schema']>;

/**
 * The body as `schema` makes it. A missing body counts as `{}`, so that the answer names the fields that are missing.
 * Fields of `serverOwned` are ignored: clients may send back what they were shown. Throws `validation-failed`.
 */
export function validBody(schema: Schema, value: unknown, serverOwned: readonly string[]): unknown {
  const result = schema['~standard'].validate(withoutFields(value === undefined ? {} : value, serverOwned));
  if (result instanceof Promise) throw new Error('body schemas must be synchronous');
  if (result.issues === undefined) return result.value;
  const fields = result.issues.flatMap(({ path = [], message, ...rest }): FieldError[] => {
    const at = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
    const { keys } = rest as { keys?: readonly string[] };
    return (keys ?? [undefined]).map((key) => ({
      field: [...at, ...(key === undefined ? [] : [key])].join('.').slice(0, LONGEST_FIELD_NAMED) || 'body',
      message: key === undefined ? message : 'is not a known field',
    }));
  });
  throw invalid(fields);
}

function withoutFields(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (!names.some((field) => Object.hasOwn(value, field))) return value;
  return Object.fromEntries(Object.entries(value).filter(([field]) => !names.includes(field)));
}

/** Validates a body against the zod schema named in `@Body({ schema })`, as `validBody`. */
class BodyPipe implements PipeTransform {
  constructor(private readonly serverOwned: readonly string[]) {}

  transform(value: unknown, { schema }: ArgumentMetadata): unknown {
    if (schema === undefined) throw new Error('BODY_PIPE needs @Body({ schema })');
    return validBody(schema, value, this.serverOwned);
  }
}

/** An answer stays small however much was wrong, and says a thing once though two rules of a field are broken. */
function invalid(all: readonly FieldError[]): AppError {
  const once = [...new Map(all.map((error) => [`${error.field} ${error.message}`, error])).values()];
  const fields = once.slice(0, MOST_FIELDS_NAMED);
  const more = once.length > fields.length ? [`and ${String(once.length - fields.length)} more`] : [];
  const detail = [...fields.map(({ field, message }) => `${field} ${message}`), ...more].join('; ');
  return new AppError('validation-failed', detail, { retry: 'never', fields });
}

export const BODY_PIPE = new BodyPipe(['id', 'orders_count']);
/** Where clients may choose the id. */
export const BODY_PIPE_WITH_ID = new BodyPipe(['orders_count']);
