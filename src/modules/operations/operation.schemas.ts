import { z } from 'zod';

export const operationSchema = z
  .object({
    operationId: z.string(),
    state: z.literal('committed'),
    at: z.iso.datetime().meta({ example: '2026-11-21T10:15:30.000Z' }),
    answer: z.object({
      status: z.int().meta({ example: 201 }),
      headers: z.record(z.string(), z.string()).meta({ example: { location: '/customers/3' } }),
      body: z.unknown().meta({ example: { id: 3, name: 'Ada Lovelace', email: 'ada@example.org', orders_count: 0 } }),
    }),
  })
  .meta({ id: 'Operation' });
export type Operation = z.infer<typeof operationSchema>;
