import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** How many answers it gives to reads of one path before it asks again. */
const ANSWERS_PER_READ = 3;

interface Kept {
  readonly status: number;
  readonly body: Buffer;
  left: number;
}

/** A shop in front of a real one that is wrong on purpose: writes go through, and some reads are answered with an earlier answer. */
export class StaleProxy {
  private readonly kept = new Map<string, Kept>();

  private constructor(private readonly server: Server) {}

  static async inFrontOf(target: string): Promise<StaleProxy> {
    const server = createServer();
    const proxy = new StaleProxy(server);
    server.on('request', (incoming, outgoing) => {
      const answer = (status: number, body: Buffer): void => void outgoing.writeHead(status).end(body);
      const { method = 'GET', url = '/' } = incoming;
      const what = url.replace(/[?&]min_seq=[^&]*/, '');
      const earlier = proxy.earlier(method, what);
      if (earlier) {
        answer(earlier.status, earlier.body);
        return;
      }
      const { 'content-type': type } = incoming.headers;
      const passed = request(`${target}${url}`, {
        method,
        headers: type === undefined ? {} : { 'content-type': type },
      });
      passed.once('response', (response) => {
        void buffer(response).then((body) => {
          const { statusCode: status = 502 } = response;
          if (method === 'GET') proxy.kept.set(what, { status, body, left: ANSWERS_PER_READ - 1 });
          answer(status, body);
        });
      });
      passed.once('error', () => outgoing.destroy());
      incoming.pipe(passed);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private earlier(method: string, url: string): Kept | undefined {
    const kept = method === 'GET' ? this.kept.get(url) : undefined;
    if (kept === undefined || kept.left === 0) return undefined;
    kept.left -= 1;
    return kept;
  }
}
