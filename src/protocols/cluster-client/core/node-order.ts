export interface NodeAddress {
  /** Normalized as in URLs: lower case, and one spelling of each numeric address. */
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:http:\/\/)?([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})\/?$/i;
const MAX_PORT = 65_535;
/** `localhost` is 127.0.0.1 on every machine. No other names are equated, because only the server could know. */
const LOCALHOST = /^localhost(?=:)/;

/** Parses `host:port` or `http://host:port`; undefined when the text is neither. */
export function parseNode(text: string): NodeAddress | undefined {
  const [, spelt = '', digits = '0'] = ADDRESS.exec(text.trim()) ?? [];
  const port = Number(digits);
  const url = `http://${spelt.replace(/\.$/, '')}`;
  return port >= 1 && port <= MAX_PORT && URL.canParse(url) ? { host: new URL(url).hostname, port } : undefined;
}

/** Compares two `host:port` names. */
export function isSameNode(left: string, right: string): boolean {
  return canonicalOf(left) === canonicalOf(right);
}

/** Returns each name, `host:port`, once, in an order that does not depend on the order of `nodes`. */
export function inOrder(nodes: readonly NodeAddress[]): readonly string[] {
  const sorted = nodes
    .map(({ host, port }) => ({ name: `${host}:${String(port)}`, port }))
    .map((node) => ({ ...node, canonical: canonicalOf(node.name) }))
    .toSorted(
      (left, right) =>
        byHost(left.canonical, right.canonical) || left.port - right.port || byHost(left.name, right.name),
    );
  return sorted.filter(({ canonical }, index) => sorted[index - 1]?.canonical !== canonical).map(({ name }) => name);
}

const canonicalOf = (name: string): string => name.replace(LOCALHOST, '127.0.0.1');
const hostOf = (name: string): string => name.slice(0, name.lastIndexOf(':'));

function byHost(left: string, right: string): number {
  const [one, other] = [hostOf(left), hostOf(right)];
  return one === other ? 0 : one < other ? -1 : 1;
}
