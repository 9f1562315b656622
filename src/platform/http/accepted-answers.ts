import type { Answer } from '../../kernel/index.js';

/** The answer to a write that is not decided yet. */
export function stillRunning(operationId: string): Answer {
  return accepted(operationId, 'running');
}

/** The answer to a transaction that is committed, and not known to be carried out by all stores. */
export function stillUntold(operationId: string): Answer {
  return accepted(operationId, 'committed');
}

function accepted(operationId: string, state: 'running' | 'committed'): Answer {
  const headers = { location: `/operations/${operationId}` };
  return { status: 202, headers, body: JSON.stringify({ operationId, state }) };
}
