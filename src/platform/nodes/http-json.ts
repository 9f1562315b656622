import { get } from 'node:http';
import { parseJson } from '../../kernel/index.js';

const MAX_BODY_BYTES = 64 * 1024;

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body is no JSON. */
  readonly body: unknown;
}

/** One GET on a connection of its own. Undefined when there is no whole answer within `timeoutMs`. */
export function getJson(
  url: string,
  { timeoutMs, headers = {} }: { readonly timeoutMs: number; readonly headers?: Readonly<Record<string, string>> },
): Promise<JsonAnswer | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(url, { agent: false, headers, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BODY_BYTES) request.destroy();
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: parse(text) });
      });
      response.on('close', () => {
        resolve(undefined);
      });
    });
    request.on('error', () => {
      resolve(undefined);
    });
  });
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
