import { REPLICATED_REFUSALS } from '../../../platform/http/index.js';
import { answer, EVERYWHERE, header, operation, parameter, ref, text, wholeNumber } from './parts.js';

const ETAG = { ETag: header('validator of this representation') };
const REPLICA_SEQ = { 'X-Replica-Seq': header('what this replica held when it answered: epoch.seq', '1.42') };
const COMMIT = {
  'X-Operation-Id': header('for GET /operations/{id}'),
  'Idempotency-Replayed': header('`true` on the answer to a repeated Idempotency-Key'),
  'X-Commit': header('place of the write in the history: epoch.seq', '1.42'),
  'X-Replicas-Acked': header(
    'replicas that were known to hold it when the primary answered, of those there are',
    '4/4',
  ),
};

const ID = parameter('path', 'id', 'a whole number from 1', wholeNumber(1), { required: true, example: 1 });
const OPERATION_ID = parameter('path', 'id', 'an operation id', text, { required: true });
const MIN_SEQ = parameter('query', 'min_seq', 'X-Commit of a write: waits until this replica holds it, else 503', {
  ...text,
  pattern: '^\\d+\\.\\d+$',
});
const PAGE = [
  parameter('query', 'limit', 'how many at most', { ...wholeNumber(1), maximum: 1000, default: 100 }),
  parameter('query', 'after', 'only ids above this', wholeNumber(0)),
];
const IF_NONE_MATCH = parameter('header', 'If-None-Match', 'an ETag: 304 while it is current', text);
const IF_MATCH = parameter('header', 'If-Match', 'ETags, or *: 412 unless one is current', text);
const IF_NONE_MATCHES = parameter('header', 'If-None-Match', 'ETags, or *: 412 when one is current', text);
const WRITE = [
  parameter('header', 'Idempotency-Key', '1 to 255 printable characters: the write takes effect once', text),
  parameter(
    'header',
    'X-Write-Concern',
    'who must hold the write before the primary answers; absent: its own setting',
    {
      ...text,
      enum: ['all', 'majority', 'primary'],
    },
  ),
];

const OF_WRITES = [400, 401, 403, 413, 415, 421, 422, 429, 503, 504];
const OF_A_WRITE = { 503: `${String(REPLICATED_REFUSALS[503])}; also when this replica does not reach the app` };
const OF_A_READ = { 503: 'what was asked for is not to be had here now: `detail` says what is missing' };

const CURRENT = { 304: answer('the copy that If-None-Match names is current', undefined, { ...ETAG, ...REPLICA_SEQ }) };
const NOT_HERE_YET = {
  202: answer(
    'durable at the primary, but not confirmed as its write concern demands, or not here, in time',
    ref('Accepted'),
    {
      Location: header('/operations/{id}: where to ask about it'),
      ...COMMIT,
    },
  ),
};
const PASSED_ON = 'Passed on to the primary, and answered once this replica holds it.';

export const CUSTOMERS = {
  get: operation({
    id: 'listCustomers',
    tag: 'customers',
    summary: 'Customers in id order, as this replica holds them',
    parameters: [...PAGE, MIN_SEQ],
    answers: {
      200: answer(
        'an array in id order',
        { type: 'array', items: ref('Customer') },
        {
          'X-Total-Count': header('how many there are in all'),
          Link: header('rel="next" while more remain'),
          ...REPLICA_SEQ,
        },
      ),
    },
    refused: [...EVERYWHERE, 503],
    known: OF_A_READ,
  }),
  post: operation({
    id: 'createCustomer',
    tag: 'customers',
    summary: 'Add a customer',
    description: PASSED_ON,
    parameters: WRITE,
    body: ref('CustomerInput'),
    answers: {
      201: answer('created, durable, and here', ref('Customer'), {
        Location: header('path of the new resource'),
        ...ETAG,
        ...COMMIT,
      }),
      ...NOT_HERE_YET,
    },
    refused: OF_WRITES,
    known: OF_A_WRITE,
  }),
};

export const CUSTOMER = {
  get: operation({
    id: 'readCustomer',
    tag: 'customers',
    summary: 'One customer, as this replica holds it',
    parameters: [ID, MIN_SEQ, IF_NONE_MATCH],
    answers: { 200: answer('the resource', ref('Customer'), { ...ETAG, ...REPLICA_SEQ }), ...CURRENT },
    refused: [...EVERYWHERE, 404, 503],
    known: OF_A_READ,
  }),
  put: operation({
    id: 'replaceCustomer',
    tag: 'customers',
    summary: 'Replace a customer; orders_count stays',
    description: PASSED_ON,
    parameters: [ID, IF_MATCH, IF_NONE_MATCHES, ...WRITE],
    body: ref('CustomerInput'),
    answers: { 200: answer('replaced, durable, and here', ref('Customer'), { ...ETAG, ...COMMIT }), ...NOT_HERE_YET },
    refused: [...OF_WRITES, 404, 412],
    known: OF_A_WRITE,
  }),
  delete: operation({
    id: 'deleteCustomer',
    tag: 'customers',
    summary: 'Remove a customer',
    description: PASSED_ON,
    parameters: [ID, IF_MATCH, IF_NONE_MATCHES, ...WRITE],
    answers: { 204: answer('gone, durably, also from here', undefined, COMMIT), ...NOT_HERE_YET },
    refused: [...OF_WRITES, 404, 412],
    known: OF_A_WRITE,
  }),
};

export const OPERATION = {
  get: operation({
    id: 'readOperation',
    tag: 'operations',
    summary: 'What became of a write; asked of the primary',
    parameters: [OPERATION_ID],
    answers: { 200: answer('the operation and its answer', ref('Operation')) },
    refused: [...EVERYWHERE, 404, 503],
    known: OF_A_READ,
  }),
};
