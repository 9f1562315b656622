import { z } from 'zod';

const ID = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';
const idSchema = z.string().meta({ example: ID });
const amountSchema = z.int().min(0).meta({ format: 'int64', example: 2500 });
const itemSchema = z
  .tuple([z.string(), z.int().min(1)])
  .meta({ description: 'item id and quantity', example: ['book-1', 2] });

export const createdOrderSchema = z.object({ order_id: idSchema }).meta({ id: 'CreatedOrder' });

export const orderSchema = z
  .object({
    order_id: idSchema,
    paid: z.boolean().meta({ example: false }),
    items: z.array(itemSchema),
    user_id: idSchema,
    total_cost: amountSchema.meta({
      description:
        'at the prices that the items had when they were added, and since a checkout at the prices it charges',
    }),
  })
  .meta({ id: 'Order' });
export type OrderView = z.infer<typeof orderSchema>;

export const checkedOutSchema = orderSchema
  .extend({ saga_id: z.string().meta({ format: 'uuid', example: ID, description: 'for `GET /sagas/{id}`' }) })
  .meta({ id: 'CheckedOutOrder' });
