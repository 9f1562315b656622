import { createServer } from 'node:net';

/** A node of a cluster listens for other nodes on the port that is higher by this. */
const BUS_OFFSET = 10_000;
const MAX_PORT = 65_535 - BUS_OFFSET;
const MIN_PORT = 1_024;
const HOST = '127.0.0.1';

/**
 * Each wanted port, or, where another program has it or its bus port, the next one that no other node wants. `running`: the ports
 * of nodes that run, by index; such a node keeps its port unless the wanted one is free.
 */
export async function freeNodePorts(
  wanted: readonly number[],
  running: readonly (number | undefined)[] = [],
): Promise<readonly number[]> {
  const chosen: number[] = [];
  for (const [index, port] of wanted.entries()) {
    const own = running[index];
    const others = [...wanted, ...running].filter((other, at) => at % wanted.length !== index);
    let candidate = port;
    while (candidate !== own && (chosen.includes(candidate) || !(await isFree(candidate)))) {
      do candidate = own ?? next(candidate);
      while (candidate !== own && others.includes(candidate));
    }
    chosen.push(candidate);
  }
  return chosen;
}

function next(port: number): number {
  return port < MAX_PORT ? port + 1 : MIN_PORT;
}

async function isFree(port: number): Promise<boolean> {
  return (await canListen(port)) && (await canListen(port + BUS_OFFSET));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, HOST, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
