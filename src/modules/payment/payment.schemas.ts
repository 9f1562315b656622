import { z } from 'zod';

const userId = z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' });

export const createdPaymentUserSchema = z.object({ user_id: userId }).meta({ id: 'CreatedPaymentUser' });

export const paymentUserSchema = z
  .object({ user_id: userId, credit: z.int().min(0).meta({ example: 100 }) })
  .meta({ id: 'PaymentUser' });
export type PaymentUserView = z.infer<typeof paymentUserSchema>;
