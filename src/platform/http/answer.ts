import { etagOf } from './etag.js';

/** A whole answer, as it was or would be sent. `body` is serialised JSON; null where the answer has none. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /**
   * The log position, `<epoch>.<seq>`, that a write concern waits for. Absent: that of `x-commit`. A transaction has made
   * its promise to replicas earlier, and its commit waits for none.
   */
  readonly promisedAt?: string;
}

/**
 * The answer to a write of which more is to come: it is not decided (`running`), or it is `committed` and not known to be
 * where it has to be.
 */
export function acceptedAnswer(operationId: string, state: 'running' | 'committed'): Answer {
  const headers = { location: `/operations/${operationId}` };
  return { status: 202, headers, body: JSON.stringify({ operationId, state }) };
}

/**
 * The answer to a finished write on one resource of the collection at `path`. `resource`: as clients are shown it; absent
 * after a delete. `commit`: log position of the write where replicas follow it.
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
