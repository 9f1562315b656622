import { Agent, request } from 'node:http';

/** How the clients of the courses send a POST without a body. */
export const AIOHTTP = { 'content-type': 'application/octet-stream', 'content-length': '0' } as const;
export const LOCUST = { 'content-length': '0' } as const;

export interface Sent {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Clients of the shop over sockets of their own, as many as requests are open. */
export class ShopClients {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>> = AIOHTTP,
  ) {}

  /** Rejects when the connection ends without an answer. */
  send(method: 'GET' | 'POST', path: string, headers: Readonly<Record<string, string>> = {}): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const own = method === 'POST' ? { ...this.headers, ...headers } : headers;
      const sent = request(this.url + path, { method, agent: this.agent, headers: own }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
        });
      });
      sent.on('error', reject).end();
    });
  }

  /** Rejects unless the answer is a success. */
  async json(method: 'GET' | 'POST', path: string): Promise<Record<string, unknown>> {
    const { status, text } = await this.send(method, path);
    if (status >= 300) throw new Error(`${method} ${path}: ${String(status)} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Runs `work` for 0 to `count` - 1, at most `width` at once, and gives the results in order. */
export async function inParallel<T>(
  count: number,
  width: number,
  work: (index: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = (next += 1) - 1;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
  return results;
}
