import type { FuzzAnswer } from './fuzz-target.js';
import type { FuzzRequest } from './fuzz-requests.js';

/** What is no endpoint's is refused like this. */
const NO_ENDPOINT = [400, 403, 404, 405, 413, 415, 421];
/** Nothing was done, or nobody knows: the only ones above 499. */
const KNOWN_FAILURES = [503, 504];

/** What an answer breaks of the rules that every answer keeps; undefined when nothing. */
export function judge(request: FuzzRequest, { status, type, text, retryAfter }: FuzzAnswer): string | undefined {
  if (status === 0) return `no answer: ${text}`;
  if (status >= 500 && !KNOWN_FAILURES.includes(status)) return 'a failure that is not known';
  const documented = Object.keys(request.endpoint.operation.responses).map(Number);
  const allowed = request.isOfEndpoint ? documented : [...documented, ...NO_ENDPOINT, 200, 204];
  if (!allowed.includes(status)) return `a status that the document does not have (${documented.join(', ')})`;
  if (status === 503 && retryAfter === undefined) return '503 without Retry-After';
  if (status < 400 || request.method === 'HEAD') return undefined;
  if (!type.startsWith('application/problem+json')) return `a refusal of type "${type}"`;
  return isProblem(text, status) ? undefined : 'a refusal that is no whole problem';
}

function isProblem(text: string, status: number): boolean {
  try {
    const { code, title, detail, ...problem } = JSON.parse(text) as Record<string, unknown>;
    return [code, title, detail].every((one) => typeof one === 'string' && one !== '') && problem['status'] === status;
  } catch {
    return false;
  }
}
