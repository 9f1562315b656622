import { z } from 'zod';

/** A setting is text: `1e3`, `0x10` and blanks, which JavaScript takes for numbers, are refused. */
export const wholeNumber = (rule: string, min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .pipe(z.number().min(min, rule).max(max, rule));
