import { getJson } from './http-json.js';
import { readRunFile } from './run-file.js';

const ANSWER_WITHIN_MS = 2_000;

export type Readiness =
  | { readonly state: 'ready'; readonly url: string }
  /** The process runs and is not ready; `reason` is what it says that it waits for. */
  | { readonly state: 'waiting'; readonly reason: string | undefined }
  | { readonly state: 'silent' };

/** Asks once whether the process of this pid is ready. Never rejects. */
export type ReadinessProbe = (pid: number) => Promise<Readiness>;

/** Asks a process for `/health/ready` at the address that it notes about itself. */
export function healthProbe(runFile: string, apiKey?: string): ReadinessProbe {
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  return async (pid) => {
    const note = readRunFile(runFile);
    if (note?.pid !== pid) return { state: 'silent' };
    const answer = await getJson(new URL('/health/ready', note.url).href, { timeoutMs: ANSWER_WITHIN_MS, headers });
    if (answer?.status === 200) return { state: 'ready', url: note.url };
    // Of a problem document (RFC 9457).
    const { detail } = (answer?.body ?? {}) as { readonly detail?: unknown };
    return { state: 'waiting', reason: typeof detail === 'string' ? detail : undefined };
  };
}
