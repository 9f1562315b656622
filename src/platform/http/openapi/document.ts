import { z } from 'zod';
import type { ProblemShape } from '../problem.js';
import { problemSchema } from '../schemas.js';
import type { Json, OpenApiOperation } from './parts.js';
import { wholeProblems } from './refusals.js';

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const MAX_INT32 = 2 ** 31 - 1;

/** How clients authenticate: with a key in either header, or not at all where no keys are set. */
const SECURITY = [{}, { apiKey: [] }, { bearer: [] }];
const SECURITY_SCHEMES = {
  apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
  bearer: { type: 'http', scheme: 'bearer' },
};
/** Only some operations of one process take it; a document should not have it without them. */
const USER_TOKEN = {
  userToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'of `POST /token`' },
};

export interface DocumentAbout {
  readonly title: string;
  readonly description: string;
  readonly version: string;
}

/** The OpenAPI document of these operations, with every named schema and whole problems as examples. */
export function openApiDocument(about: DocumentAbout, paths: Paths, shape: ProblemShape = {}): Json {
  const whole = structuredClone(paths);
  for (const [path, operations] of Object.entries(whole)) {
    for (const one of Object.values(operations)) showProblems(path, one as OpenApiOperation, shape);
  }
  return {
    openapi: '3.0.3',
    info: { ...about, license: { name: 'MIT', url: 'https://opensource.org/license/mit' } },
    servers: [{ url: '/' }],
    security: SECURITY,
    paths: whole,
    components: { schemas: jsonSchemas(shape), securitySchemes: schemesOf(paths) },
  };
}

function schemesOf(paths: Paths): Json {
  const takesUserToken = Object.values(paths).some((operations) =>
    Object.values(operations).some((operation) =>
      (operation as OpenApiOperation).security?.some((needed) => 'userToken' in needed),
    ),
  );
  return takesUserToken ? { ...SECURITY_SCHEMES, ...USER_TOKEN } : SECURITY_SCHEMES;
}

function showProblems(path: string, { parameters, responses }: OpenApiOperation, shape: ProblemShape): void {
  const instance = parameters.reduce(
    (at, { name, schema }) => at.replace(`{${name}}`, encodeURIComponent(String(schema['example']))),
    path,
  );
  for (const { content } of Object.values(responses)) {
    const problem = content?.['application/problem+json'];
    if (problem) problem.examples = wholeProblems(problem.examples ?? {}, instance, shape);
  }
}

const OPTIONS = {
  target: 'openapi-3.0',
  io: 'input',
  unrepresentable: 'any',
  override: ({ jsonSchema }) => {
    if (jsonSchema.type === 'integer' && (jsonSchema.maximum ?? Infinity) > MAX_INT32) jsonSchema.format = 'int64';
  },
} as const satisfies z.core.ToJSONSchemaParams;

/** All named schemas together, so that each refers to the others by name. */
function jsonSchemas(shape: ProblemShape): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { ...OPTIONS, uri: (id) => `#/components/schemas/${id}` });
  const all = { ...schemas, Problem: z.toJSONSchema(problemSchema(shape), OPTIONS) };
  return Object.fromEntries(
    Object.entries(all).map(([name, { $id: _id, id: _ownId, $schema: _dialect, ...schema }]) => [name, schema]),
  );
}
