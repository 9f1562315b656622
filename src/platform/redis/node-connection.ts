import type { Redis } from 'ioredis';
import { type Lack, nameOf, type NodeView, parseNodeView, type RedisEndpoint } from './node-view.js';

const CONNECT_WITHIN_MS = 1_000;

/**
 * Connects to one node, for a few commands of `task`, and closes the connection. Rejects when the node does not answer within
 * `deadlineMs`; a rejected command may have been carried out. The driver is loaded at the first use, because it is large.
 */
export async function withNode<T>(
  { host, port }: RedisEndpoint,
  password: string | undefined,
  task: (node: Redis) => Promise<T>,
  deadlineMs = CONNECT_WITHIN_MS,
): Promise<T> {
  const { Redis: Driver } = await import('ioredis');
  const node = new Driver({
    ...{ host, port, lazyConnect: true, enableReadyCheck: false, maxRetriesPerRequest: 0 },
    ...credentials(password),
    ...{ connectTimeout: deadlineMs, commandTimeout: deadlineMs, socketTimeout: deadlineMs, disconnectTimeout: 50 },
    retryStrategy: () => null,
  });
  let cause: Error | undefined;
  node.on('error', (error: Error) => (cause = error));
  try {
    await node.connect();
    return await task(node);
  } catch (error) {
    throw new Error(`${nameOf({ host, port })}: ${(cause ?? (error as Error)).message}`, { cause: error });
  } finally {
    node.disconnect();
  }
}

/**
 * Logs in as the default user by name. With the password alone, the driver prints a line of its own for each connection to a node that
 * asks for none.
 */
export function credentials(password: string | undefined): { readonly username?: string; readonly password?: string } {
  return password === undefined ? {} : { username: 'default', password };
}

/** What a node that answered with an error lacks; undefined for an error of `withNode` that is not the node's own. */
export function lackIn(error: unknown): Lack | undefined {
  // An answer begins with a word in capitals, unlike the errors of the driver and the system.
  const [, answer] = /^\S+: ([A-Z]+ .*)/.exec((error as Error).message) ?? [];
  if (answer?.startsWith('WRONGPASS ') === true) return ['refuses the password', 'refuse the password'];
  if (answer?.startsWith('NOAUTH ') === true) return ['asks for a password', 'ask for a password'];
  return answer === undefined ? undefined : [`answers "${answer}"`, `answer "${answer}"`];
}

/** Whether the node answers PING with this password. Never rejects. */
export async function answersPing(
  endpoint: RedisEndpoint,
  password: string | undefined,
  deadlineMs?: number,
): Promise<boolean> {
  return withNode(endpoint, password, (node) => node.ping(), deadlineMs).then(
    (answer) => answer === 'PONG',
    () => false,
  );
}

/** The slot that `key` hashes to, as the node computes it. Rejects as `withNode` does. */
export async function slotOf(endpoint: RedisEndpoint, password: string | undefined, key: string): Promise<number> {
  return Number(await withNode(endpoint, password, (node) => node.cluster('KEYSLOT', key)));
}

/** The directory that the server works in, empty once that was removed. Rejects as `withNode` does. */
export async function directoryOf(endpoint: RedisEndpoint, password: string | undefined): Promise<string | undefined> {
  const [, directory] = (await withNode(endpoint, password, (node) => node.config('GET', 'dir'))) as string[];
  return directory;
}

/** What the node says about the cluster. Rejects as `withNode` does. */
export function viewOf(endpoint: RedisEndpoint, password: string | undefined, deadlineMs?: number): Promise<NodeView> {
  const view = async (node: Redis): Promise<NodeView> => {
    const [nodes, info, server] = await Promise.all([node.cluster('NODES'), node.cluster('INFO'), node.info()]);
    return parseNodeView(endpoint, nodes as string, info, server);
  };
  return withNode(endpoint, password, view, deadlineMs);
}
