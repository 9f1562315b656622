import { etagOf } from './etag.js';

/** A whole answer. `body` is serialised JSON, or null where the answer has no body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /**
   * The log position, `<epoch>.<seq>`, that a write concern waits for. Absent: that of `x-commit`. A transaction made its promise
   * to replicas at an earlier position, and its commit waits for none.
   */
  readonly promisedAt?: string;
}

/** The answer to an unfinished write: `running` is undecided; `committed` is not known to be everywhere it must be. */
export function acceptedAnswer(operationId: string, state: 'running' | 'committed'): Answer {
  const headers = { location: `/operations/${operationId}` };
  return { status: 202, headers, body: JSON.stringify({ operationId, state }) };
}

/**
 * The answer to a finished write on one resource of the collection at `path`. `resource` is the representation for clients,
 * absent after a delete. `commit` is the write's log position where replicas follow it.
 */
export function writtenAnswer(
  change: 'created' | 'replaced' | 'deleted',
  path: string,
  resource: { readonly id: number | string } | undefined,
  commit?: string,
): Answer {
  const headers: Record<string, string> = commit === undefined ? {} : { 'x-commit': commit };
  if (resource === undefined) return { status: 204, headers, body: null };
  const body = JSON.stringify(resource);
  if (change === 'created') headers['location'] = `${path}/${String(resource.id)}`;
  headers['etag'] = etagOf(body);
  return { status: change === 'created' ? 201 : 200, headers, body };
}
