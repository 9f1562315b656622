import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { AppError, type FieldError } from '../../kernel/index.js';

/** Clients may send back what they were shown; these are the server's to set. */
const SERVER_OWNED_FIELDS = ['id', 'orders_count'] as const;
const MOST_FIELDS_NAMED = 100;

/**
 * Validates a body against the zod schema named in `@Body({ schema })`. A missing body counts as `{}`, so that the
 * answer names the fields that are missing.
 */
class BodyPipe implements PipeTransform {
  transform(value: unknown, { schema }: ArgumentMetadata): unknown {
    if (schema === undefined) throw new Error('BODY_PIPE needs @Body({ schema })');
    const result = schema['~standard'].validate(withoutServerOwned(value === undefined ? {} : value));
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
}

const LONGEST_FIELD_NAMED = 100;

/** An answer stays small however much was wrong, and says a thing once though two rules of a field are broken. */
function invalid(all: readonly FieldError[]): AppError {
  const once = [...new Map(all.map((error) => [`${error.field} ${error.message}`, error])).values()];
  const fields = once.slice(0, MOST_FIELDS_NAMED);
  const more = once.length > fields.length ? [`and ${String(once.length - fields.length)} more`] : [];
  const detail = [...fields.map(({ field, message }) => `${field} ${message}`), ...more].join('; ');
  return new AppError('validation-failed', detail, { retry: 'never', fields });
}

function withoutServerOwned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (!SERVER_OWNED_FIELDS.some((field) => Object.hasOwn(value, field))) return value;
  const { id: _id, orders_count: _ordersCount, ...rest } = value as Record<string, unknown>;
  return rest;
}

export const BODY_PIPE = new BodyPipe();
