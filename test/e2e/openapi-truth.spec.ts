import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '../../src/kernel/index.js';
import { STATUS_OF } from '../../src/platform/http/status.js';
import type { Problem } from './support/client.js';
import { type Endpoint, endpointsOf, exampleOf, fetchOpenApi, type OpenApi, type Schema } from './support/openapi.js';
import { mismatches, resolveRef, schemasIn } from './support/openapi.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const app = useSharedApp();
const replica = useSharedReplica();
const documents: Record<string, OpenApi> = {};

beforeAll(async () => {
  documents['app'] = await fetchOpenApi(app.client);
  documents['replica'] = await fetchOpenApi(replica.client);
});

interface ShownProblem {
  readonly at: string;
  readonly status: number;
  /** What the response says of itself; it names its codes. */
  readonly description: string;
  readonly problem: Problem;
}

/** The examples of refusals, as Swagger UI shows them: where a response has none, what its schema makes. */
function shownProblems(document: OpenApi): ShownProblem[] {
  return endpointsOf(document).flatMap(({ method, path, operation }) =>
    Object.entries(operation.responses).flatMap(([status, { description = '', content }]) => {
      const media = content?.['application/problem+json'];
      if (media?.schema === undefined) return [];
      const given = Object.values(media.examples ?? {}).map(({ value }) => value);
      const problems = given.length > 0 ? given : [media.example ?? exampleOf(document, media.schema)];
      const at = `${method} ${path} ${status}`;
      return problems.map((problem) => ({ at, status: Number(status), description, problem: problem as Problem }));
    }),
  );
}

const shape = (schema: Schema): Schema & Readonly<Record<string, unknown>> => schema as never;

/** True when no value fits both: one is closed, and the other requires a member that it has not. */
function areDisjoint(one: Schema, other: Schema): boolean {
  const excludes = (closed: Schema, open: Schema): boolean =>
    shape(closed)['additionalProperties'] === false &&
    (open.required ?? []).some((name) => !Object.hasOwn(closed.properties ?? {}, name));
  return excludes(one, other) || excludes(other, one);
}

const MAX_32_BITS = 2 ** 31 - 1;

describe.each(['app', 'replica'])('the API document of the %s', (name) => {
  const document = (): OpenApi => documents[name]!;

  it('shows refusals with the status of their response', () => {
    const shown = shownProblems(document());
    expect(shown.length).toBeGreaterThan(100);
    expect(shown.filter(({ status, problem }) => problem.status !== status).map(({ at }) => at)).toEqual([]);
  });

  it('shows refusals whose code has that status and is named by their response', () => {
    const wrong = shownProblems(document()).filter(
      ({ status, description, problem: { code } }) =>
        STATUS_OF[code as ErrorCode] !== status || !description.includes(`\`${code}\``),
    );
    expect(wrong.map(({ at, problem }) => `${at} ${problem.code}`)).toEqual([]);
  });

  it('shows a refusal for every code that a response names', () => {
    const shown = shownProblems(document());
    const named = shown.flatMap(({ at, description }) =>
      [...(description.split('Code: ')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => `${at} ${code}`),
    );
    expect([...new Set(named)].sort()).toEqual(shown.map(({ at, problem }) => `${at} ${problem.code}`).sort());
  });

  it('shows refusals that are whole problems of their path', () => {
    const problemSchema = document().components.schemas['Problem']!;
    for (const { at, problem } of shownProblems(document())) {
      expect([at, mismatches(document(), problemSchema, problem)]).toEqual([at, []]);
      const [, path = ''] = at.split(' ');
      const instance = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/{}]+')}$`);
      expect([at, problem.type, problem.instance]).toEqual([
        at,
        `urn:bifolio:problem:${problem.code}`,
        expect.stringMatching(instance),
      ]);
    }
  });

  it('documents both preconditions and the 412 of each GET whose answer has an ETag', () => {
    const reads = endpointsOf(document()).filter(
      ({ method, operation }) => method === 'GET' && operation.responses['200']?.headers?.['ETag'] !== undefined,
    );
    expect(reads.length).toBeGreaterThan(0);
    for (const { path, operation } of reads) {
      const headers = (operation.parameters ?? []).filter((one) => one.in === 'header').map((one) => one.name);
      expect([path, headers]).toEqual([path, expect.arrayContaining(['If-Match', 'If-None-Match'])]);
      expect([path, Object.keys(operation.responses)]).toEqual([path, expect.arrayContaining(['304', '412'])]);
    }
  });

  it('gives the format int64 to every integer that may need more than 32 bits', () => {
    const integers = schemasIn(document()).filter(({ type }) => type === 'integer');
    const wide = integers.filter(
      (schema) => ((shape(schema)['maximum'] as number | undefined) ?? Infinity) > MAX_32_BITS,
    );
    expect(wide.length).toBeGreaterThan(3);
    expect(wide.filter((schema) => shape(schema)['format'] !== 'int64')).toEqual([]);
  });

  it('has no value that matches two branches of a oneOf', () => {
    const branches = schemasIn(document()).flatMap(({ oneOf }) => (oneOf ? [oneOf] : []));
    const resolved = branches.map((schemas) =>
      schemas.map((schema) => (schema.$ref === undefined ? schema : (resolveRef(document(), schema.$ref) as Schema))),
    );
    const overlapping = resolved.filter((schemas) =>
      schemas.some((one, index) => schemas.slice(index + 1).some((other) => !areDisjoint(one, other))),
    );
    expect(overlapping).toEqual([]);
  });
});

describe('an operation that both app and replica have', () => {
  it('has the same operationId in both documents', () => {
    const idsOf = (document: OpenApi): Map<string, string> =>
      new Map(
        endpointsOf(document).map(({ method, path, operation }: Endpoint) => [
          `${method} ${path}`,
          operation.operationId,
        ]),
      );
    const [ofApp, ofReplica] = [idsOf(documents['app']!), idsOf(documents['replica']!)];
    const shared = [...ofApp.keys()].filter((key) => ofReplica.has(key));
    expect(shared).toHaveLength(11);
    expect(shared.map((key) => [key, ofReplica.get(key)])).toEqual(shared.map((key) => [key, ofApp.get(key)]));
  });

  it('has an operationId that no other operation has', () => {
    const ids = new Map<string, Set<string>>();
    for (const document of Object.values(documents)) {
      for (const { method, path, operation } of endpointsOf(document)) {
        const at = ids.get(operation.operationId) ?? new Set();
        ids.set(operation.operationId, at.add(`${method} ${path}`));
      }
    }
    expect([...ids].filter(([, at]) => at.size > 1)).toEqual([]);
  });
});
