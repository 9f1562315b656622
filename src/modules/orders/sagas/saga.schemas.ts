import { z } from 'zod';
import { CHECKOUT_STATES } from '../checkout/checkout.js';

/** A running saga is shown as `parked` while one of its events waits for an operator or the next drain. */
export const SAGA_STATES = [...CHECKOUT_STATES, 'parked'] as const;
export type SagaState = (typeof SAGA_STATES)[number];

const ID_EXAMPLE = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';
const idSchema = z.string().meta({ format: 'uuid', example: ID_EXAMPLE });
const timeSchema = z.string().meta({ format: 'date-time', example: '2026-11-21T10:15:30.000Z' });
const eventSchema = z.string().meta({ example: 'credit-authorised' });
const moneySchema = z.int().min(0).meta({ format: 'int64', example: 2500 });

const stepSchema = z.object({
  step: z.string().meta({ example: 'take' }),
  participant: z.string().meta({ example: 'stock' }),
  cause: eventSchema.optional().meta({ description: 'the event that led to the step' }),
  event: z.string().meta({ example: 'stock-taken', description: 'what the step has told' }),
  at: timeSchema,
  compensates: z
    .string()
    .optional()
    .meta({ example: 'authorise', description: 'the step that this one has taken back' }),
  set: z.int().min(1).optional().meta({
    example: 1,
    description: 'the run of `batch_init` that wrote the rows of this step; the highest of several',
  }),
});

const deliverySchema = z.object({
  event: eventSchema,
  from: z.string().meta({ example: 'payment' }),
  to: z.string().meta({ example: 'stock' }),
  state: z.enum(['delivering', 'waiting', 'parked']),
  attempts: z.int().min(0).meta({ example: 12, description: 'failed tries' }),
  nextTryAt: timeSchema.optional(),
  reason: z.string().optional().meta({ example: 'the disk is full; nothing was written' }),
});

export const sagaSchema = z
  .object({
    id: idSchema.meta({ description: 'also the id of the operation, for `/operations/{id}`' }),
    kind: z.string().meta({ example: 'checkout' }),
    state: z.enum(SAGA_STATES).meta({
      example: 'completed',
      description:
        '`refused`: everything is given back; `parked`: the tries of an event are used up, and the next drain tries again; ' +
        '`superseded`: `batch_init` has replaced the order, its user or an item before anything was held; nothing was taken',
    }),
    orderId: z.string().meta({ example: ID_EXAMPLE }),
    userId: z.string().meta({ example: ID_EXAMPLE }),
    total: moneySchema,
    lines: z.array(
      z.object({
        itemId: z.string().meta({ example: 'book-1' }),
        quantity: z.int().min(1).meta({ example: 2 }),
        price: moneySchema,
      }),
    ),
    reason: z
      .object({
        code: z.string().meta({ example: 'too-little-stock' }),
        detail: z.string().meta({ example: '2 of item book-1 are in stock, which is less than 5' }),
      })
      .optional()
      .meta({ description: 'why it was refused or superseded' }),
    startedAt: timeSchema,
    endedAt: timeSchema.optional(),
    steps: z.array(stepSchema).meta({ description: 'the durable steps in their order' }),
    deliveries: z.array(deliverySchema).meta({ description: 'events on their way; none once the saga has ended' }),
  })
  .meta({ id: 'Saga' });
export type SagaResource = z.infer<typeof sagaSchema>;

export const drainReportSchema = z
  .object({
    ended: z.array(idSchema).meta({ description: 'parked sagas that this drain has ended' }),
    parked: z.array(idSchema).meta({ description: 'sagas that are still parked' }),
  })
  .meta({ id: 'DrainReport' });
export type DrainReport = z.infer<typeof drainReportSchema>;
