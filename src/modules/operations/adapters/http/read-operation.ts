import { openApiParts, viewOperation } from '../../../../platform/http/index.js';
import { operationSchema } from './operation.schemas.js';

const EXAMPLE = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';

/** How the documentation of the app and of a replica describes the question what became of a write. */
export const READ_OPERATION = viewOperation({
  id: 'readOperation',
  summary: 'What became of a write',
  description:
    'Every answer to a write has its id in X-Operation-Id. An id is unknown again 24 h after a write with an ' +
    'Idempotency-Key and 10 min after one without. `committed` is durable at the app; `confirmed` says whether by now as ' +
    'many replicas hold the write as the write concern of the server asks for, and X-Replicas-Acked how many do. Of a ' +
    'transaction, replicas hold the promise. It is `running` until it is decided, and known as `aborted` for a while.',
  shown: operationSchema,
  parameters: [openApiParts.pathId({ description: 'an operation id', schema: openApiParts.TEXT, example: EXAMPLE })],
  refusals: ['not-found'],
});
