import { BOOK_OPERATIONS } from '../../modules/books/index.js';
import { CUSTOMER_OPERATIONS } from '../../modules/customers/index.js';
import {
  asElsewhere,
  ECHO_OPERATION,
  type Json,
  LIVE_OPERATION,
  METRICS_OPERATION,
  openApiDocument,
  type OpenApiOperation,
  READY_OPERATION,
  rootOperation,
} from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';
import { readerSchema } from './about-routes.js';

const OWN_READ = { refusals: ['not-ready', 'storage-busy', 'storage-damaged', 'shutting-down'] } as const;
const FORWARDED_READ = {
  description: 'The reader forwards the request to the app: 503 `not-ready` when it cannot reach the app.',
  refusals: ['not-ready', 'shutting-down'],
} as const;
const FORWARDED_WRITE = {
  description:
    'The reader forwards the write to the app: 503 `not-ready` when it never reached the app, and 504 `outcome-unknown` with ' +
    'the `Idempotency-Key` to repeat it with when the app did not answer.',
} as const;

const { list, read, create, replace, delete: remove } = BOOK_OPERATIONS;
const PATHS = {
  '/': { get: tagged('about', rootOperation(readerSchema)) },
  '/health/live': { get: tagged('about', LIVE_OPERATION) },
  '/health/echo': { get: tagged('about', ECHO_OPERATION) },
  '/health/ready': { get: tagged('about', READY_OPERATION) },
  '/metrics': { get: tagged('about', METRICS_OPERATION) },
  '/books': {
    get: tagged('books', asElsewhere(list, OWN_READ)),
    post: tagged('books', asElsewhere(create, FORWARDED_WRITE)),
  },
  '/books/{id}': {
    get: tagged('books', asElsewhere(read, OWN_READ)),
    put: tagged('books', asElsewhere(replace, FORWARDED_WRITE)),
    delete: tagged('books', asElsewhere(remove, FORWARDED_WRITE)),
  },
  '/customers': {
    get: tagged('customers', asElsewhere(CUSTOMER_OPERATIONS.list, FORWARDED_READ)),
    post: tagged('customers', asElsewhere(CUSTOMER_OPERATIONS.create, FORWARDED_WRITE)),
  },
  '/customers/{id}': {
    get: tagged('customers', asElsewhere(CUSTOMER_OPERATIONS.read, FORWARDED_READ)),
    put: tagged('customers', asElsewhere(CUSTOMER_OPERATIONS.replace, FORWARDED_WRITE)),
    delete: tagged('customers', asElsewhere(CUSTOMER_OPERATIONS.delete, FORWARDED_WRITE)),
  },
};

/** The reader's OpenAPI document, composed of parts of the app's document. */
export function readerDocument(): Json {
  return openApiDocument(
    {
      title: 'Bifolio reader',
      description:
        'Reads of books, answered from the database of the app. All other requests of the app are forwarded to it, also ' +
        'those that only the document of the app describes.',
      version: packageVersion(),
    },
    PATHS,
  );
}

function tagged(tag: string, operation: OpenApiOperation): OpenApiOperation {
  return { ...operation, tags: [tag] };
}
