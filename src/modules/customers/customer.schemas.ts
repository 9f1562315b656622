import { z } from 'zod';
import { boundedText } from '../../platform/http/index.js';

const MAX_NAME_LENGTH = 200;
const SHORTEST_EMAIL = 3;
const MAX_EMAIL_LENGTH = 320;

const fields = {
  name: boundedText(1, MAX_NAME_LENGTH).meta({ example: 'Ada Lovelace' }),
  email: boundedText(SHORTEST_EMAIL, MAX_EMAIL_LENGTH)
    .refine((email) => email.split('@').length === 2, 'must contain exactly one @')
    .meta({ example: 'ada@example.org' }),
};

export const customerInputSchema = z.strictObject(fields, 'must be a JSON object').meta({ id: 'CustomerInput' });
export type CustomerInput = z.infer<typeof customerInputSchema>;

export const customerSchema = z
  .object({ id: z.int().min(1).meta({ example: 1 }), ...fields, orders_count: z.int().min(0).meta({ example: 0 }) })
  .meta({ id: 'Customer' });
export type Customer = z.infer<typeof customerSchema>;
