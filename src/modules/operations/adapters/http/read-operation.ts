import { openApiParts, viewOperation } from '../../../../platform/http/index.js';
import { operationSchema } from './operation.schemas.js';

const EXAMPLE = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';

export const READ_OPERATION = viewOperation({
  id: 'readOperation',
  summary: 'Read the outcome of a write',
  description:
    'Every answer to a write returns its id in X-Operation-Id. The server forgets the id 24 h after a write with an ' +
    'Idempotency-Key, and 10 min after a write without one. `committed`: durable at the app; `confirmed` then says whether ' +
    "enough replicas hold the write (for a transaction, its prepare record) for the server's write concern, and " +
    'X-Replicas-Acked how many do. `running`: a transaction that is not decided yet. `aborted`: kept for a limited time.',
  shown: operationSchema,
  parameters: [openApiParts.pathId({ description: 'an operation id', schema: openApiParts.TEXT, example: EXAMPLE })],
  refusals: ['not-found'],
});
