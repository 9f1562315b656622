export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
}

/** The first and the last slot of a range. */
export type SlotRange = readonly [first: number, last: number];

export const SLOTS = 16_384;

/** What one node says about a node of the cluster, possibly itself. */
export interface KnownNode {
  readonly id: string;
  /** The host is empty while the speaker does not know its own. */
  readonly endpoint: RedisEndpoint;
  readonly flags: readonly string[];
  /** Undefined for a master. */
  readonly masterId: string | undefined;
  /** The higher one of two claims to a slot holds. */
  readonly epoch: number;
  readonly isLinked: boolean;
  readonly slots: readonly SlotRange[];
}

/** What one node says about the cluster. */
export interface NodeView {
  readonly endpoint: RedisEndpoint;
  readonly itself: KnownNode;
  /** By id, with the node itself. */
  readonly known: ReadonlyMap<string, KnownNode>;
  /** Whether it answers for the slots that have a master. */
  readonly isClusterOk: boolean;
  /** Whether a replica follows its master; true for a master. */
  readonly isLinkUp: boolean;
  readonly keys: number;
}

/** What one node, or several, lack, as the rest of a sentence behind their names. */
export type Lack = readonly [one: string, several: string];

/** `nodes`, `info` and `server` are the answers to CLUSTER NODES, CLUSTER INFO and INFO. */
export function parseNodeView(endpoint: RedisEndpoint, nodes: string, info: string, server: string): NodeView {
  const all = nodes
    .split('\n')
    .filter((line) => line !== '')
    .map(parseKnownNode);
  const itself = all.find(({ flags }) => flags.includes('myself'));
  if (!itself) throw new Error(`${nameOf(endpoint)} does not name itself in CLUSTER NODES`);
  const field = (text: string, name: string): string | undefined =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
  return {
    endpoint,
    itself,
    known: new Map(all.map((node) => [node.id, node])),
    isClusterOk: field(info, 'cluster_state') === 'ok',
    isLinkUp: itself.masterId === undefined || field(server, 'master_link_status') === 'up',
    keys: Number(/keys=(\d+)/.exec(field(server, 'db0') ?? '')?.[1] ?? 0),
  };
}

/** `<id> <host:port@busPort[,hostname]> <flags> <master> <ping> <pong> <epoch> <link> <slots ...>` */
function parseKnownNode(line: string): KnownNode {
  const [id = '', address = '', flags = '', master = '-', , , epoch, link, ...slots] = line.split(' ');
  const plain = address.replace(/@.*$/, '');
  const colon = plain.lastIndexOf(':');
  return {
    id,
    endpoint: { host: plain.slice(0, colon), port: Number(plain.slice(colon + 1)) },
    flags: flags.split(','),
    masterId: master === '-' ? undefined : master,
    epoch: Number(epoch),
    isLinked: link === 'connected',
    // In brackets: a slot that is moving.
    slots: slots
      .filter((range) => !range.startsWith('['))
      .map((range): SlotRange => {
        const [first, last = first] = range.split('-').map(Number) as [number, number?];
        return [first, last];
      }),
  };
}

export function nameOf({ host, port }: RedisEndpoint): string {
  return `${host}:${String(port)}`;
}

export function countSlots(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

export function rangeName([first, last]: SlotRange): string {
  return first === last ? String(first) : `${String(first)}-${String(last)}`;
}
