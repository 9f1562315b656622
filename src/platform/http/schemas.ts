import { z } from 'zod';

/** Text whose length counts characters (code points), not UTF-16 units, after trimming. */
export function boundedText(min: number, max: number): z.ZodType<string, string> {
  const rule = `must be text of ${String(min)} to ${String(max)} characters`;
  return z
    .string(rule)
    .trim()
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .refine((text) => {
      if (text.length < min || text.length > 2 * max) return false;
      // A character is one unit or two: most lengths decide without counting.
      if (text.length >= 2 * min && text.length <= max) return true;
      const characters = [...text].length;
      return characters >= min && characters <= max;
    }, rule)
    .meta({ minLength: min, maxLength: max });
}

/**
 * The answer 202 to a write that is durable and not confirmed by replicas in time, or not told to all stores yet
 * (`committed`), or not decided yet (`running`).
 */
export const acceptedSchema = z
  .object({
    operationId: z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
    state: z.enum(['committed', 'running']),
  })
  .meta({ id: 'Accepted' });

/** RFC 9457 with this project's extensions, as shown in the API's documentation. */
export const problemSchema = z.object({
  type: z.string().meta({ example: 'urn:bifolio:problem:validation-failed' }),
  title: z.string().meta({ example: 'Bad request' }),
  status: z.int().min(400).max(599).meta({ example: 400 }),
  detail: z.string().meta({ example: 'price must be a number from 0 to 1000000 with at most two decimals' }),
  instance: z.string().meta({ example: '/books' }),
  code: z.string().meta({ example: 'validation-failed' }),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .meta({ example: [{ field: 'price', message: 'must be a number from 0 to 1000000 with at most two decimals' }] }),
});

/** The schema that every refusal refers to; goes into the document once. */
export function problemJsonSchema(): Record<string, unknown> {
  const { $schema: _dialect, id: _id, ...schema } = z.toJSONSchema(problemSchema) as Record<string, unknown>;
  return schema;
}
