import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { FuzzRequest } from './fuzz-requests.js';

export interface FuzzAnswer {
  /** 0: the connection ended without one. */
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

const ANSWERED_WITHIN_MS = 120_000;
const CONNECTIONS = 16;

/** A process that is asked, and what it holds while it is. */
export class FuzzTarget {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  constructor(
    private readonly url: string,
    readonly pid: number,
  ) {}

  send({ method, target, headers, body }: Omit<FuzzRequest, 'endpoint' | 'isOfEndpoint'>): Promise<FuzzAnswer> {
    const { hostname, port, host } = new URL(this.url);
    return new Promise((resolve) => {
      const unanswered = (error: Error): void => {
        resolve({ status: 0, type: '', text: error.message, retryAfter: undefined });
      };
      const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
      const all = ['host', host, ...headers, ...length];
      const options = {
        agent: this.agent,
        hostname,
        port,
        method,
        path: target,
        headers: all,
        timeout: ANSWERED_WITHIN_MS,
      };
      const asked = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', unanswered);
        response.on('end', () => {
          const { statusCode: status = 0, headers: told } = response;
          const text = Buffer.concat(chunks).toString();
          resolve({ status, type: told['content-type'] ?? '', text, retryAfter: told['retry-after'] });
        });
      });
      asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
      asked.on('error', unanswered);
      asked.end(body);
    });
  }

  /** Of its own answer: writes that are under way. */
  async writesUnderWay(): Promise<number> {
    return this.metric('http_writes_under_way');
  }

  async residentBytes(): Promise<number> {
    return this.metric('process_resident_memory_bytes');
  }

  /** Files and sockets that it has open, as the system says. */
  descriptors(): number {
    return readdirSync(`/proc/${String(this.pid)}/fd`).length;
  }

  /** Lets go of all connections. */
  close(): void {
    this.agent.destroy();
  }

  private async metric(name: string): Promise<number> {
    const { text } = await this.send({ method: 'GET', target: '/metrics', headers: [], body: undefined });
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 'NaN');
  }
}
