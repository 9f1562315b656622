import { z } from 'zod';

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

const PORTS_RULE = 'must be a comma-separated list of ports from 1 to 65535, or empty for none';
const NODES_RULE = 'must be host:port,... with ports from 1 to 65535';
const MAX_PORT = 65_535;
const NODE = /^([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})$/;

const entriesOf = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

const isPort = (port: number): boolean => port >= 1 && port <= MAX_PORT;

export const replicaPorts = z
  .string()
  .default('5071,5072,5073,5074')
  .transform((text, context) => {
    const ports = entriesOf(text).map((entry) => (/^\d{1,5}$/.test(entry) ? Number(entry) : 0));
    if (!ports.every(isPort)) context.addIssue({ code: 'custom', message: PORTS_RULE });
    const twice = ports.find((port, index) => ports.indexOf(port) < index);
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', message: `must not name port ${String(twice)} twice` });
    }
    return ports;
  });

export const replicaNodes = z
  .string()
  .default('')
  .transform((text, context) => {
    const nodes = entriesOf(text).map((entry): NodeAddress => {
      const [, host = '', port = '0'] = NODE.exec(entry) ?? [];
      return { host, port: Number(port) };
    });
    if (!nodes.every(({ port }) => isPort(port))) context.addIssue({ code: 'custom', message: NODES_RULE });
    const names = nodes.map(nameOfNode);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) context.addIssue({ code: 'custom', message: `must not name ${twice} twice` });
    return nodes;
  });

/** Returns the name of a replica in messages, logs and answers. */
export function nameOfNode({ host, port }: NodeAddress): string {
  return `${host}:${String(port)}`;
}
