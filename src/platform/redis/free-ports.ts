import { createServer } from 'node:net';

/** A node of a cluster listens for other nodes on the port that is higher by this. */
const BUS_OFFSET = 10_000;
const MAX_PORT = 65_535 - BUS_OFFSET;
const MIN_PORT = 1_024;
const HOST = '127.0.0.1';

/** A node of a cluster on `port` listens on these. */
export function portsOfNode(port: number): readonly number[] {
  return [port, port + BUS_OFFSET];
}

/**
 * Each wanted port, or, where another program has it or its bus port, the next one that no other node wants and that is not
 * `reserved` for other processes of ours. `running`: the ports of nodes that run, by index; such a node keeps its port unless the
 * wanted one is free or its own one is reserved.
 */
export async function freeNodePorts(
  wanted: readonly number[],
  running: readonly (number | undefined)[] = [],
  reserved: readonly number[] = [],
): Promise<readonly number[]> {
  const chosen: number[] = [];
  const isAmong = (port: number, taken: readonly number[]): boolean =>
    portsOfNode(port).some((each) => taken.includes(each));
  for (const [index, port] of wanted.entries()) {
    const current = running[index];
    const own = current !== undefined && isAmong(current, reserved) ? undefined : current;
    const others = [...wanted, ...running].flatMap((other = 0, at) =>
      at % wanted.length === index ? [] : portsOfNode(other),
    );
    const taken = [...others, ...reserved];
    let candidate = port;
    while (candidate !== own && (isAmong(candidate, chosen.flatMap(portsOfNode)) || !(await isFree(candidate)))) {
      do candidate = own ?? next(candidate);
      while (candidate !== own && isAmong(candidate, taken));
    }
    chosen.push(candidate);
  }
  return chosen;
}

function next(port: number): number {
  return port < MAX_PORT ? port + 1 : MIN_PORT;
}

async function isFree(port: number): Promise<boolean> {
  const looks = await Promise.all(portsOfNode(port).map(canListen));
  return looks.every(Boolean);
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
