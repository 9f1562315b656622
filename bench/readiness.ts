import { connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';

const POLL_EVERY_MS = 2;
const GIVE_UP_AFTER_MS = 120_000;
/** Below the ports that systems hand out by themselves: polling a port of that range can connect to itself. */
const LOWEST_PORT = 20_000;
const PORTS = 12_000;

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/** Resolves as soon as `GET path` is answered with 200, asking every 2 ms. Rejects when `hasEnded` or after two minutes. */
export async function answers(port: number, path: string, hasEnded: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  while (!(await isOk(port, path))) {
    if (hasEnded()) throw new Error('the process ended before it was ready');
    if (performance.now() > giveUpAt) throw new Error(`the process was not ready within ${GIVE_UP_AFTER_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
}

/** Plain sockets: an HTTP client would take more time than the servers that are waited for. */
function isOk(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let received = '';
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (!received.includes('\r\n')) return;
      resolve(received.startsWith('HTTP/1.1 200 '));
      socket.destroy();
    });
    socket.once('close', () => {
      resolve(false);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
