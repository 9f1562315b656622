import { parseJson } from '../../kernel/index.js';
import { NodeClient } from '../node-client/index.js';

const MAX_BODY_BYTES = 64 * 1024;

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body is not JSON. */
  readonly body: unknown;
}

/** One GET on its own connection. Undefined when there is no whole answer within `timeoutMs`. */
export async function getJson(
  url: string,
  { timeoutMs, headers = {} }: { readonly timeoutMs: number; readonly headers?: Readonly<Record<string, string>> },
): Promise<JsonAnswer | undefined> {
  const { origin, pathname: path } = new URL(url);
  const client = new NodeClient({ maxAnswerBytes: MAX_BODY_BYTES });
  try {
    const { status, body } = await client.call(origin, { method: 'GET', path, headers, isRepeatable: true }, timeoutMs);
    return { status, body: parse(body.toString()) };
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
