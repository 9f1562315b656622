import type { NodeAnswer } from '../../src/platform/node-client/index.js';

/** As the node client gives it. */
export async function answerOf(response: Response): Promise<NodeAnswer> {
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), body: Buffer.from(await response.arrayBuffer()) };
}
