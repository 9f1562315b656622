import { openApiParts, viewOperation } from '../../../../platform/http/index.js';
import { operationSchema } from './operation.schemas.js';

const EXAMPLE = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';

export const READ_OPERATION = viewOperation({
  id: 'readOperation',
  summary: 'What became of a write',
  description:
    'Every answer to a write has its id in X-Operation-Id. The id is forgotten 24 h after a write with an Idempotency-Key ' +
    'and 10 min after one without. `committed`: durable at the app; `confirmed` then says whether as many replicas hold ' +
    "the write as the server's write concern demands, and X-Replicas-Acked how many do (of a transaction: hold its " +
    'promise). A transaction is `running` until it is decided; `aborted` is known for a while.',
  shown: operationSchema,
  parameters: [openApiParts.pathId({ description: 'an operation id', schema: openApiParts.TEXT, example: EXAMPLE })],
  refusals: ['not-found'],
});
