import { z } from 'zod';
import { bookSchema } from '../books/index.js';

export const book2pcSchema = z
  .object({
    transactionId: z.string().meta({ format: 'uuid', example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
    book: bookSchema,
    customersUpdated: z
      .int()
      .min(0)
      .meta({ example: 2, description: 'number of customers whose `orders_count` rose by one' }),
  })
  .meta({ id: 'BookAndOrders' });
