import { z } from 'zod';

/** Refuses `1e3`, `0x10` and blanks, which JavaScript converts to numbers. */
export const wholeNumber = (rule: string, min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .pipe(z.number().min(min, rule).max(max, rule));
