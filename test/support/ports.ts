import { createServer } from 'node:net';

/**
 * The ports of tests lie below those that the system gives to clients. Each worker of Jest has a part of its own and takes one
 * after the other, so that nobody else takes a port between the look at it and its use.
 */
const PARTS = 8;
const WORKERS_OF_A_LANE = 2;
const { TEST_LANE = '0', JEST_WORKER_ID = '0' } = process.env;
const part = (Number(TEST_LANE) * WORKERS_OF_A_LANE + Number(JEST_WORKER_ID)) % PARTS;

/** A Redis node also takes the port that is 10,000 higher. */
const REDIS_NODES = { first: 20_000, count: 340 };
const REDIS_NODES_IN_A_ROW = 20;
const OTHERS = { first: REDIS_NODES.first + PARTS * REDIS_NODES.count, count: 900 };

let taken = Math.floor(Math.random() * OTHERS.count);

/** A port that nobody listens on now. It gives none twice before it has given all. */
export async function freePort(): Promise<number> {
  for (;;) {
    taken += 1;
    const port = OTHERS.first + part * OTHERS.count + (taken % OTHERS.count);
    if (await isFree(port)) return port;
  }
}

/** The first of a few ports in a row for Redis nodes; `freeNodePorts` replaces those that are not free. */
export function firstNodePort(): number {
  const { first, count } = REDIS_NODES;
  return first + part * count + Math.floor(Math.random() * (count - REDIS_NODES_IN_A_ROW));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolveProbe) => {
    const probe = createServer();
    probe.once('error', () => {
      resolveProbe(false);
    });
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolveProbe(true);
      });
    });
  });
}
