export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:http:\/\/)?([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})\/?$/;
const HIGHEST_PORT = 65_535;

/** From `host:port` or `http://host:port`; undefined when it is neither. */
export function parseNode(text: string): NodeAddress | undefined {
  const [, host = '', digits = '0'] = ADDRESS.exec(text.trim()) ?? [];
  const port = Number(digits);
  return port >= 1 && port <= HIGHEST_PORT ? { host: host.toLowerCase(), port } : undefined;
}

/** Their names, `host:port`, each once, in the order that all clients agree on however they were told of them. */
export function inOrder(nodes: readonly NodeAddress[]): readonly string[] {
  const sorted = nodes.toSorted((left, right) =>
    left.host === right.host ? left.port - right.port : left.host < right.host ? -1 : 1,
  );
  return [...new Set(sorted.map(({ host, port }) => `${host}:${String(port)}`))];
}
