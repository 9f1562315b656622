import { z } from 'zod';
import { customerInputSchema, customerSchema } from '../../modules/customers/index.js';
import { groupInputSchema, groupListSchema, groupMessageSchema, groupSchema } from '../../modules/groups/index.js';
import { operationSchema } from '../../modules/operations/index.js';
import { acceptedSchema, problemJsonSchema } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';
import { liveSchema, nodeSchema, readySchema } from './about-routes.js';
import { CUSTOMER, CUSTOMERS, OPERATION } from './openapi-customers.js';
import { GROUP, GROUP_BY_ID, GROUPS } from './openapi-groups.js';
import { answer, EVERYWHERE, type Json, OF_A_READ, operation, ref, text } from './openapi-parts.js';

const SCHEMAS = {
  Accepted: acceptedSchema,
  Customer: customerSchema,
  CustomerInput: customerInputSchema,
  Operation: operationSchema,
  Group: groupSchema,
  GroupInput: groupInputSchema,
  GroupList: groupListSchema,
  GroupMessage: groupMessageSchema,
  Node: nodeSchema,
  Live: liveSchema,
  Ready: readySchema,
};

const about = (id: string, summary: string, schema: Json, refused: readonly number[], open = false): Json => ({
  get: operation({
    id,
    tag: 'about',
    summary,
    answers: { 200: answer(summary, schema) },
    refused,
    meaning: OF_A_READ,
    open,
  }),
});

const METRICS = {
  get: operation({
    id: 'readMetrics',
    tag: 'about',
    summary: 'Metrics in the text format of Prometheus',
    answers: { 200: { description: 'the metrics', content: { 'text/plain': { schema: text } } } },
    refused: EVERYWHERE,
  }),
};

/** The replica's API as OpenAPI 3.0, made of the schemas that the answers have. */
export function openApiDocument(): Json {
  return {
    openapi: '3.0.3',
    info: {
      title: 'Bifolio replica',
      description:
        'Customers, as one of the replicas holds them: writes are passed on to the primary. Groups, which each node keeps by ' +
        'itself: who wants one on all nodes or none asks each. What lies under /replication/ is between the nodes: it needs ' +
        'the cluster secret and is not described here.',
      version: packageVersion(),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/' }],
    security: [{}, { apiKey: [] }, { bearer: [] }],
    tags: ['customers', 'groups', 'operations', 'about'].map((name) => ({ name })),
    paths: {
      '/': about('readNode', 'What this is and where the rest is', ref('Node'), EVERYWHERE),
      '/customers': CUSTOMERS,
      '/customers/{id}': CUSTOMER,
      '/v1/groups': GROUPS,
      '/v1/group': GROUP,
      '/v1/group/{groupId}': GROUP_BY_ID,
      '/operations/{id}': OPERATION,
      '/health/live': about('readLive', 'Whether the process answers; open to everyone', ref('Live'), [], true),
      '/health/ready': about('readReady', 'Whether the primary is there', ref('Ready'), [...EVERYWHERE, 503]),
      '/metrics': METRICS,
    },
    components: {
      schemas: { ...jsonSchemas(), Problem: problemJsonSchema({ hasMessage: true }) },
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
