import { CUSTOMER_OPERATIONS } from '../../modules/customers/index.js';
import { GROUP_OPERATIONS } from '../../modules/groups/index.js';
import { READ_OPERATION } from '../../modules/operations/index.js';
import {
  asElsewhere,
  ECHO_OPERATION,
  type Json,
  LIVE_OPERATION,
  METRICS_OPERATION,
  openApiDocument,
  openApiParts,
  type OpenApiOperation,
  READY_OPERATION,
  rootOperation,
} from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';
import { nodeSchema } from './about-routes.js';

type Paths = Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;

const HELD = {
  description: 'As stored on this replica.',
  headers: {
    'X-Replica-Seq': openApiParts.header('log position of this replica at the time of the answer: epoch.seq', '1.42'),
  },
};
const FORWARDED = {
  description:
    'The replica forwards the write to the primary and answers once it holds the write itself: 202 `committed` when this ' +
    'takes too long, 503 `not-ready` when it cannot reach the primary.',
};

const CUSTOMERS: Paths = {
  '/customers': {
    get: asElsewhere(CUSTOMER_OPERATIONS.list, HELD),
    post: asElsewhere(CUSTOMER_OPERATIONS.create, FORWARDED),
  },
  '/customers/{id}': {
    get: asElsewhere(CUSTOMER_OPERATIONS.read, HELD),
    put: asElsewhere(CUSTOMER_OPERATIONS.replace, FORWARDED),
    delete: asElsewhere(CUSTOMER_OPERATIONS.delete, FORWARDED),
  },
};
const OPERATIONS: Paths = { '/operations/{id}': { get: asElsewhere(READ_OPERATION, { refusals: ['not-ready'] }) } };
const ABOUT: Paths = {
  '/': { get: rootOperation(nodeSchema) },
  '/health/live': { get: LIVE_OPERATION },
  '/health/echo': { get: ECHO_OPERATION },
  '/health/ready': { get: READY_OPERATION },
  '/metrics': { get: METRICS_OPERATION },
};

/** The replica's OpenAPI document, composed of parts of the app's document and of the group operations. */
export function replicaDocument(): Json {
  return openApiDocument(
    {
      title: 'Bifolio replica',
      description:
        'The customers that this replica holds, and the groups of this node. The replica forwards writes on customers to the ' +
        'primary. A refusal repeats its `detail` as `message`. The paths under /replication/ are for the nodes ' +
        'themselves: they need the cluster secret, and this document does not describe them.',
      version: packageVersion(),
    },
    {
      ...tagged('about', ABOUT),
      ...tagged('customers', CUSTOMERS),
      ...tagged('operations', OPERATIONS),
      ...tagged('groups', GROUP_OPERATIONS),
    },
    { hasMessage: true },
  );
}

function tagged(tag: string, paths: Paths): Paths {
  const all = (operations: Paths[string]): Paths[string] =>
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [method, { ...operation, tags: [tag] }]),
    );
  return Object.fromEntries(Object.entries(paths).map(([path, operations]) => [path, all(operations)]));
}
