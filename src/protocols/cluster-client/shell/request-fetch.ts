import { request } from 'undici';

/** Answers with these have no body, and `Response` insists on it. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * As `fetch`, for what nodes are asked, over undici's plain requests: at half the cost, and to any port (`fetch` refuses
 * those that browsers keep away from, of which 5060 and 6000 are two). Follows no redirect.
 */
export const requestFetch: typeof fetch = async (input, init = {}) => {
  const { statusCode, headers, body } = await request(input instanceof Request ? input.url : input, {
    method: init.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init.headers)),
    body: typeof init.body === 'string' ? init.body : null,
    signal: init.signal ?? null,
  });
  const text = await body.text();
  const shown = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return new Response(WITHOUT_BODY.has(statusCode) ? null : text, { status: statusCode, headers: shown });
};
