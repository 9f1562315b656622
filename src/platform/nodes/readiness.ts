import { getJson } from './http-json.js';
import { readRunFile } from './run-file.js';

const ANSWER_WITHIN_MS = 2_000;

export type Readiness =
  | { readonly state: 'ready'; readonly url: string }
  /** The process runs but is not ready; `reason` is what it reports waiting for. */
  | { readonly state: 'waiting'; readonly reason: string | undefined }
  | { readonly state: 'silent' };

/** Asks once whether the process with this pid is ready. Never rejects. */
export type ReadinessProbe = (pid: number) => Promise<Readiness>;

/** Requests `/health/ready` at the address in the process's run file. */
export function healthProbe(runFile: string, apiKey?: string): ReadinessProbe {
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  return async (pid) => {
    const note = readRunFile(runFile);
    if (note?.pid !== pid) return { state: 'silent' };
    const answer = await getJson(new URL('/health/ready', note.url).href, { timeoutMs: ANSWER_WITHIN_MS, headers });
    if (answer?.status === 200) return { state: 'ready', url: note.url };
    // The detail of a problem document (RFC 9457).
    const { detail } = (answer?.body ?? {}) as { readonly detail?: unknown };
    return { state: 'waiting', reason: typeof detail === 'string' ? detail : undefined };
  };
}
