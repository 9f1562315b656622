import { z } from 'zod';
import { centsFromPrice } from '../../kernel/index.js';
import { boundedText } from '../../platform/http/index.js';

const LONGEST_TEXT = 200;
const HIGHEST_PRICE = 1_000_000;
const HIGHEST_QUANTITY = 1_000_000_000;
const priceRule = `must be a number from 0 to ${String(HIGHEST_PRICE)} with at most two decimals`;
const quantityRule = `must be a whole number from 0 to ${String(HIGHEST_QUANTITY)}`;

const fields = {
  title: boundedText(1, LONGEST_TEXT).meta({ example: 'A Wizard of Earthsea' }),
  author: boundedText(1, LONGEST_TEXT).meta({ example: 'Ursula K. Le Guin' }),
  price: z
    .number(priceRule)
    .min(0, priceRule)
    .max(HIGHEST_PRICE, priceRule)
    .refine((price) => centsFromPrice(price) !== undefined, priceRule)
    .meta({ example: 12.5 }),
  quantity: z.int(quantityRule).min(0, quantityRule).max(HIGHEST_QUANTITY, quantityRule).meta({ example: 3 }),
};

/** What clients send to create or replace a book. */
export const bookInputSchema = z.strictObject(fields, 'must be a JSON object').meta({ id: 'BookInput' });
export type BookInput = z.infer<typeof bookInputSchema>;

/** What clients are shown. */
export const bookSchema = z.object({ id: z.int().min(1).meta({ example: 1 }), ...fields }).meta({ id: 'Book' });
export type Book = z.infer<typeof bookSchema>;
