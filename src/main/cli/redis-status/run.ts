import Table from 'cli-table3';
import { loadConfig } from '../../../config/index.js';
import {
  type ClusterAccess,
  clusterAccess,
  countSlots,
  type KnownNode,
  missingOf,
  nameOf,
  type NodeView,
  type RedisEndpoint,
  slotOf,
  viewsOf,
} from '../../../platform/redis/index.js';
import type { CommandOutput } from '../command-output.js';

/** Shows the nodes of the cluster or, with a `key`, where that key lives. */
export async function showRedisStatus(key: string | undefined): Promise<CommandOutput> {
  const { redis } = loadConfig();
  if (!redis) return failed('Redis is off (REDIS=off): the cache is in memory alone.');
  const access = clusterAccess(redis);
  if (!access) return failed('No Redis Cluster runs here. "npm start" starts one where it finds a Redis server.');
  const endpoints = await allEndpoints(access);
  const views = await viewsOf(endpoints, access.password);
  const [first] = views;
  if (!first) {
    const names = access.nodes.map(nameOf).join(', ');
    return failed(`No Redis node answers at ${names} with the password that is set here.`);
  }
  if (key === undefined) return statusOf(endpoints, views);
  return nodeOfKey(key, await slotOf(first.endpoint, access.password, key), views);
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

export function statusOf(endpoints: readonly RedisEndpoint[], views: readonly NodeView[]): CommandOutput {
  const table = new Table({
    head: ['Node', 'Role', 'Slots', 'Keys', 'State'],
    style: { head: [], border: [] },
  });
  for (const endpoint of endpoints) {
    const view = views.find((each) => each.endpoint === endpoint);
    table.push([nameOf(endpoint), ...(view ? cellsOf(view, views) : ['?', '', '', 'does not answer'])]);
  }
  const missing = missingOf(endpoints, views);
  const first =
    missing === undefined
      ? `The Redis Cluster is whole: ${String(mastersOf(views).length)} masters serve all slots, and each replica follows its master.`
      : `The Redis Cluster is not whole: ${missing}.`;
  return { exitCode: missing === undefined ? 0 : 1, lines: [first, table.toString()] };
}

function cellsOf(view: NodeView, views: readonly NodeView[]): [string, string, string, string] {
  const { itself, isClusterOk, isLinkUp, keys } = view;
  const ranges = itself.slots.map(([first, last]) =>
    first === last ? String(first) : `${String(first)}-${String(last)}`,
  );
  const state = !isClusterOk ? 'does not serve' : !isLinkUp ? 'does not follow its master' : 'ok';
  if (itself.masterId === undefined) {
    const count = countSlots(itself.slots);
    return ['master', count === 0 ? 'none' : `${ranges.join(' ')} (${String(count)})`, String(keys), state];
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
