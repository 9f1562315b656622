import Table from 'cli-table3';
import { loadConfig } from '../../../config/index.js';
import {
  type ClusterAccess,
  clusterAccess,
  type ClusterLook,
  countSlots,
  type KnownNode,
  lookAt,
  missingOf,
  nameOf,
  type NodeView,
  rangeName,
  remedyFor,
  type RedisEndpoint,
  slotOf,
  viewsOf,
} from '../../../platform/redis/index.js';
import type { CommandOutput } from '../command-output.js';

const RESTART = '"npm stop", then "npm start"';

/** Shows the nodes of the cluster or, with a `key`, where that key lives. */
export async function showRedisStatus(key: string | undefined): Promise<CommandOutput> {
  const { redis } = loadConfig();
  if (!redis) return failed('Redis is off (REDIS=off, or REDIS_CLUSTER_PORTS is empty): the cache is in memory alone.');
  let access: ClusterAccess | undefined;
  try {
    access = clusterAccess(redis);
  } catch (error) {
    return failed(`${(error as Error).message}: ${RESTART}.`);
  }
  if (!access) return failed('No Redis Cluster runs here. "npm start" starts one where it finds a Redis server.');
  const endpoints = await allEndpoints(access);
  const look = await lookAt(endpoints, access.password);
  const { views, refusals } = look;
  const [first] = views;
  const isOwn = redis.nodes.length === 0;
  const remedy = isOwn ? RESTART : remedyFor(refusals);
  if (!first) return failed(`${missingOf(endpoints, [], refusals) ?? 'No node is named'}: ${remedy}.`);
  if (key !== undefined) return nodeOfKey(key, await slotOf(first.endpoint, access.password, key), views);
  const { exitCode, lines } = statusOf(endpoints, look);
  const isRemedyKnown = refusals.size > 0 || (isOwn && exitCode > 0);
  return { exitCode, lines: isRemedyKnown ? [...lines, `To do: ${remedy}.`] : lines };
}

/** Those of the settings, and those that the first of them to answer knows besides. */
async function allEndpoints({ nodes, password }: ClusterAccess): Promise<readonly RedisEndpoint[]> {
  const named = await viewsOf(nodes, password);
  const isNamed = ({ id, endpoint }: KnownNode): boolean =>
    named.some(({ itself }) => itself.id === id) || nodes.some((node) => nameOf(node) === nameOf(endpoint));
  const others = [...(named[0]?.known.values() ?? [])]
    .filter((node) => !isNamed(node) && !node.flags.includes('noaddr') && !node.flags.includes('handshake'))
    .map(({ endpoint }) => endpoint)
    .sort((one, other) => one.port - other.port);
  return [...nodes, ...others];
}

export function statusOf(endpoints: readonly RedisEndpoint[], { views, refusals }: ClusterLook): CommandOutput {
  const table = new Table({
    head: ['Node', 'Role', 'Slots', 'Keys', 'State'],
    style: { head: [], border: [] },
  });
  for (const endpoint of endpoints) {
    const view = views.find((each) => each.endpoint === endpoint);
    const [state] = refusals.get(endpoint) ?? ['does not answer'];
    table.push([nameOf(endpoint), ...(view ? cellsOf(view, views) : ['?', '', '', state])]);
  }
  const missing = missingOf(endpoints, views, refusals);
  const first =
    missing === undefined
      ? `The Redis Cluster is whole: ${String(mastersOf(views).length)} masters serve all slots, and each replica follows its master.`
      : `The Redis Cluster is not whole: ${missing}.`;
  return { exitCode: missing === undefined ? 0 : 1, lines: [first, table.toString()] };
}

function cellsOf(view: NodeView, views: readonly NodeView[]): [string, string, string, string] {
  const { itself, isClusterOk, isLinkUp, keys } = view;
  const ranges = itself.slots.map(rangeName);
  const state = !isClusterOk ? 'does not serve' : !isLinkUp ? 'does not follow its master' : 'ok';
  if (itself.masterId === undefined) {
    const count = countSlots(itself.slots);
    if (count === 0) return ['master', 'none', String(keys), state === 'ok' ? 'serves no slot' : state];
    return ['master', `${ranges.join(' ')} (${String(count)})`, String(keys), state];
  }
  const master = views.find((each) => each.itself.id === itself.masterId)?.endpoint;
  return [`replica of ${master ? nameOf(master) : '?'}`, '', String(keys), state];
}

export function nodeOfKey(key: string, slot: number, views: readonly NodeView[]): CommandOutput {
  const owner = mastersOf(views)
    .filter(({ itself }) => itself.slots.some(([first, last]) => first <= slot && slot <= last))
    .toSorted((one, other) => other.itself.epoch - one.itself.epoch)[0];
  if (!owner) return failed(`${key} hashes to slot ${String(slot)}, which no node that answers serves.`);
  const replicas = views.filter(({ itself }) => itself.masterId === owner.itself.id);
  const names = replicas.map(({ endpoint }) => nameOf(endpoint)).join(', ') || 'no node that answers';
  const text = `${key} hashes to slot ${String(slot)}, on ${nameOf(owner.endpoint)}; replica: ${names}.`;
  return { exitCode: 0, lines: [text] };
}

function mastersOf(views: readonly NodeView[]): readonly NodeView[] {
  return views.filter(({ itself }) => itself.masterId === undefined && countSlots(itself.slots) > 0);
}

function failed(line: string): CommandOutput {
  return { exitCode: 1, lines: [line] };
}
