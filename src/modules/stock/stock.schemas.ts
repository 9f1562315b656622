import { z } from 'zod';

export const createdItemSchema = z
  .object({ item_id: z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }) })
  .meta({ id: 'CreatedItem' });

const amount = z.int().min(0);

export const itemSchema = z
  .object({
    stock: amount.meta({ example: 100 }),
    price: amount.meta({ example: 1250, description: 'in the smallest unit' }),
  })
  .meta({ id: 'Item' });
export type ItemView = z.infer<typeof itemSchema>;
