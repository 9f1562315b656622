import { z } from 'zod';
import { customerInputSchema, customerSchema } from '../../../modules/customers/index.js';
import {
  groupInputSchema,
  groupListSchema,
  groupMessageSchema,
  groupSchema,
  groupUndoneSchema,
  groupVersionSchema,
} from '../../../modules/groups/index.js';
import { operationSchema } from '../../../modules/operations/index.js';
import { acceptedSchema, problemSchema } from '../../../platform/http/index.js';
import { packageVersion } from '../../../platform/process/index.js';
import { liveSchema, nodeSchema, readySchema } from '../about-routes.js';
import { about, METRICS } from './about.js';
import { CUSTOMER, CUSTOMERS, OPERATION } from './customers.js';
import { ALL_GROUPS, GROUP, GROUPS_VERSION, ONE_GROUP } from './groups.js';
import { EVERYWHERE, type Json, ref } from './parts.js';

/** As nodes refuse: `detail` a second time as `message`. */
const nodeProblemSchema = problemSchema.extend({
  detail: z.string().meta({ example: 'groupId must be a string of 1 to 255 characters' }),
  instance: z.string().meta({ example: '/v1/group' }),
  errors: problemSchema.shape.errors.meta({
    example: [{ field: 'groupId', message: 'must be a string of 1 to 255 characters' }],
  }),
  message: z.string().meta({
    description: 'the same as `detail`',
    example: 'groupId must be a string of 1 to 255 characters',
  }),
});

const SCHEMAS = {
  Accepted: acceptedSchema,
  Customer: customerSchema,
  CustomerInput: customerInputSchema,
  Operation: operationSchema,
  Node: nodeSchema,
  Live: liveSchema,
  Ready: readySchema,
  Group: groupSchema,
  GroupInput: groupInputSchema,
  GroupList: groupListSchema,
  GroupMessage: groupMessageSchema,
  GroupUndone: groupUndoneSchema,
  GroupVersion: groupVersionSchema,
  Problem: nodeProblemSchema,
};

/** The replica's API as OpenAPI 3.0, made of the schemas that the answers have. */
export function openApiDocument(): Json {
  return {
    openapi: '3.0.3',
    info: {
      title: 'Bifolio replica',
      description:
        'Customers, as one of the replicas holds them; writes are passed on to the primary. And the groups of this ' +
        'node, which are its own: no other node hears of them. Refusals say their `detail` as `message`, too. What lies ' +
        'under /replication/ is between the nodes: it needs the cluster secret and is not described here.',
      version: packageVersion(),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/' }],
    security: [{}, { apiKey: [] }, { bearer: [] }],
    tags: ['customers', 'operations', 'groups', 'about'].map((name) => ({ name })),
    paths: {
      '/': about('readNode', 'What this is and where the rest is', ref('Node'), EVERYWHERE),
      '/customers': CUSTOMERS,
      '/customers/{id}': CUSTOMER,
      '/operations/{id}': OPERATION,
      '/v1/groups': ALL_GROUPS,
      '/v1/groups/version': GROUPS_VERSION,
      '/v1/group': GROUP,
      '/v1/group/{groupId}': ONE_GROUP,
      '/health/live': about('readLive', 'Whether the process answers; open to everyone', ref('Live'), [400, 421], true),
      '/health/ready': about('readReady', 'Whether the primary is there', ref('Ready'), [...EVERYWHERE, 503]),
      '/metrics': METRICS,
    },
    components: {
      schemas: jsonSchemas(),
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

/** All of them together, so that each refers to the others by name. */
function jsonSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { target: 'openapi-3.0', io: 'input', uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $id: _id, id: _ownId, $schema: _dialect, ...schema }]) => [name, schema]),
  );
}
