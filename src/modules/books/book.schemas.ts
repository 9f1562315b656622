import { z } from 'zod';
import { centsFromPrice } from '../../kernel/index.js';
import { boundedText } from '../../platform/http/index.js';

const MAX_TEXT_LENGTH = 200;
const MAX_PRICE = 1_000_000;
const MAX_QUANTITY = 1_000_000_000;
const priceRule = `must be a number from 0 to ${String(MAX_PRICE)} with at most two decimals`;
const quantityRule = `must be a whole number from 0 to ${String(MAX_QUANTITY)}`;

const fields = {
  title: boundedText(1, MAX_TEXT_LENGTH).meta({ example: 'A Wizard of Earthsea' }),
  author: boundedText(1, MAX_TEXT_LENGTH).meta({ example: 'Ursula K. Le Guin' }),
  price: z
    .number(priceRule)
    .min(0, priceRule)
    .max(MAX_PRICE, priceRule)
    .refine((price) => centsFromPrice(price) !== undefined, priceRule)
    .meta({ example: 12.5 }),
  quantity: z.int(quantityRule).min(0, quantityRule).max(MAX_QUANTITY, quantityRule).meta({ example: 3 }),
};

export const bookInputSchema = z.strictObject(fields, 'must be a JSON object').meta({ id: 'BookInput' });
export type BookInput = z.infer<typeof bookInputSchema>;

/** Deliveries of `/stock/add` may raise the quantity above what a body may set. */
const shownQuantity = z.int().min(0).meta({ example: 3 });

export const bookSchema = z
  .object({ id: z.int().min(1).meta({ example: 1 }), ...fields, quantity: shownQuantity })
  .meta({ id: 'Book' });
export type Book = z.infer<typeof bookSchema>;
