import { z } from 'zod';
import { boundedText } from '../../platform/http/index.js';

const MAX_REASON_LENGTH = 500;

export const TRANSACTION_STATES = [
  'preparing',
  'in-doubt',
  'unmatched',
  'committing',
  'aborting',
  'committed',
  'aborted',
] as const;
export const transactionStateSchema = z.enum(TRANSACTION_STATES);
export type TransactionViewState = z.infer<typeof transactionStateSchema>;

const ID_EXAMPLE = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';
const idSchema = z.string().meta({ format: 'uuid', example: ID_EXAMPLE });
const timeSchema = z.string().meta({ format: 'date-time', example: '2026-11-21T10:15:30.000Z' });

export const transactionSchema = z
  .object({
    id: idSchema,
    kind: z.string().meta({ example: 'books-2pc' }),
    state: transactionStateSchema.meta({
      example: 'committed',
      description:
        '`in-doubt`: prepared, not decided; `committing`, `aborting`: decided, but not yet carried out by all participants; ' +
        '`unmatched`: in doubt, but another database was to decide it, so an operator has to decide',
    }),
    participants: z.array(
      z.object({
        name: z.string().meta({ example: 'documents' }),
        state: z.string().meta({ example: 'committed' }),
      }),
    ),
    history: z.array(
      z.object({
        phase: z.string().meta({ example: 'promised' }),
        at: timeSchema,
        participant: z.string().optional().meta({ example: 'documents' }),
        detail: z.string().optional().meta({ example: '1.42' }),
      }),
    ),
    operationId: z
      .string()
      .optional()
      .meta({ example: ID_EXAMPLE, description: 'id of the write that this transaction carries out' }),
    reason: z.string().optional().meta({
      example: "Monday's backup has no such row",
      description: 'why the transaction was aborted, or why an operator decided it',
    }),
  })
  .meta({ id: 'Transaction' });
export type TransactionResource = z.infer<typeof transactionSchema>;

export const resolutionSchema = z
  .strictObject(
    {
      decision: z.enum(['commit', 'abort'], 'must be commit or abort').meta({ example: 'abort' }),
      reason: boundedText(1, MAX_REASON_LENGTH).meta({ example: "Monday's backup has no such row" }),
    },
    'must be a JSON object',
  )
  .meta({ id: 'Resolution' });
export type Resolution = z.infer<typeof resolutionSchema>;

const idsSchema = z.array(idSchema);

export const recoveryReportSchema = z
  .object({
    committed: idsSchema.meta({ description: 'transactions that this recovery committed' }),
    aborted: idsSchema.meta({ description: 'transactions that this recovery aborted' }),
    unmatched: idsSchema.meta({ description: 'transactions that need an operator' }),
    failed: z
      .array(z.object({ id: idSchema, error: z.string().meta({ example: 'the disk is full' }) }))
      .meta({ description: 'transactions that failed; the next recovery tries again' }),
  })
  .meta({ id: 'RecoveryReport' });
