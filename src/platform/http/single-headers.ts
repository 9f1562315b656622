import type { FastifyInstance } from 'fastify';
import { malformedField } from './parameters.js';

/** Headers that decide who calls or what a request does, as refusals spell them. */
const SINGLE = new Map(
  [
    ...['Idempotency-Key', 'X-Api-Key', 'Authorization', 'X-Request-Id', 'X-Write-Concern'],
    ...['X-Operation-Id', 'X-Undo', 'X-Group-Version', 'X-Group-Version-After'],
  ].map((name) => [name.toLowerCase(), name]),
);

/** Refuses repeats of such a header: Node joins the lines of some with a comma, and drops the second line of others. */
export function refuseRepeatedHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    const repeated = repeatedHeader(raw.rawHeaders);
    done(repeated === undefined ? undefined : malformedField('validation-failed', repeated, 'must be sent only once'));
  });
}

/** `raw`: names and values in turn. */
function repeatedHeader(raw: readonly string[]): string | undefined {
  let met: Set<string> | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const name = SINGLE.get(raw[index]?.toLowerCase() ?? '');
    if (name === undefined) continue;
    if (met?.has(name) === true) return name;
    (met ??= new Set()).add(name);
  }
  return undefined;
}
