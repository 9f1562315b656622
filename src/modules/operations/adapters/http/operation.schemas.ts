import { z } from 'zod';

const answerSchema = z.object({
  status: z.int().min(200).max(599).meta({ example: 201 }),
  headers: z.record(z.string(), z.string()).meta({ example: { location: '/customers/3' } }),
  body: z.unknown().meta({ example: { id: 3, name: 'Ada Lovelace', email: 'ada@example.org', orders_count: 0 } }),
});

export const operationSchema = z
  .object({
    operationId: z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' }),
    state: z.enum(['committed', 'running', 'aborted']).meta({
      example: 'committed',
      description: '`running`: not decided yet; `aborted`: not done, nothing was written',
    }),
    confirmed: z.boolean().meta({
      example: true,
      description: "whether enough replicas hold the write for the server's write concern",
    }),
    at: z.string().meta({ format: 'date-time', example: '2026-11-21T10:15:30.000Z' }),
    answer: answerSchema.nullable().meta({
      example: { status: 201, headers: { location: '/customers/3' }, body: { id: 3, name: 'Ada Lovelace' } },
      description: 'null while the answer is unknown, and when nothing was written',
    }),
  })
  .meta({ id: 'Operation' });
export type Operation = z.infer<typeof operationSchema>;
