import { malformedField } from '../../../../platform/http/index.js';
import { emailSchema } from '../../registration.schemas.js';

/** The e-mail in a path or a query. Throws the given code, naming `correo`. */
export function parseEmail(value: unknown, code: 'malformed-id' | 'validation-failed'): string {
  const read = emailSchema.safeParse(value);
  if (read.success) return read.data;
  throw malformedField(code, 'correo', read.error.issues[0]?.message ?? 'must be an e-mail');
}
