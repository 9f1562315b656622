import { createServer } from 'node:net';

/** A node of a cluster listens for other nodes on the port that is higher by this. */
const BUS_OFFSET = 10_000;
const MAX_PORT = 65_535 - BUS_OFFSET;

/** Each wanted port, or the next one that is free and that no other gets, where another program has it or the bus port. */
export async function freeNodePorts(wanted: readonly number[], host = '127.0.0.1'): Promise<readonly number[]> {
  const chosen: number[] = [];
  for (const port of wanted) {
    let candidate = port;
    while (!(await isFree(candidate, host)) || isPromised(candidate, port)) {
      candidate = candidate < MAX_PORT ? candidate + 1 : 1_024;
    }
    chosen.push(candidate);
  }
  return chosen;

  function isPromised(candidate: number, own: number): boolean {
    return candidate !== own && (chosen.includes(candidate) || wanted.includes(candidate));
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  return (await canListen(port, host)) && (await canListen(port + BUS_OFFSET, host));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
