import { z } from 'zod';
import type { ProblemShape } from './problem.js';

/** Trimmed text whose length counts characters (code points), not UTF-16 units. */
export function boundedText(min: number, max: number): z.ZodType<string, string> {
  const rule = `must be text of ${String(min)} to ${String(max)} characters`;
  return z
    .string(rule)
    .trim()
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .refine((text) => {
      if (text.length < min || text.length > 2 * max) return false;
      // A character is one unit or two, so most lengths decide without counting.
      if (text.length >= 2 * min && text.length <= max) return true;
      const characters = [...text].length;
      return characters >= min && characters <= max;
    }, rule)
    .meta({ minLength: min, maxLength: max });
}

/** The body of a request that needs none: absent, or an empty object. */
export const noBodySchema = z.strictObject({}, 'must be a JSON object').meta({ example: {} });

/** The 202 answer to an undecided write (`running`), or a durable one that replicas or stores still lack (`committed`). */
export const acceptedSchema = z
  .object({
    operationId: z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
    state: z.enum(['committed', 'running']),
  })
  .meta({ id: 'Accepted' });

const problem = z.object({
  type: z.string().meta({ example: 'urn:bifolio:problem:validation-failed' }),
  title: z.string().meta({ example: 'Bad request' }),
  status: z.int().min(400).max(599).meta({ example: 400 }),
  detail: z.string().meta({ example: 'limi is not a known query' }),
  instance: z.string().meta({ example: '/' }),
  code: z.string().meta({ example: 'validation-failed' }),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .meta({ example: [{ field: 'limi', message: 'is not a known query' }] }),
});
const withMessage = problem.extend({
  message: z.string().meta({ description: 'the same as `detail`', example: 'limi is not a known query' }),
});

/** RFC 9457 with this project's extensions: the schema that every refusal refers to. */
export function problemSchema({ hasMessage = false }: ProblemShape): z.ZodType {
  return hasMessage ? withMessage : problem;
}
