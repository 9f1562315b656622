import { Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';

export interface ForwardedWrite {
  readonly method: string;
  /** As it goes on the wire: with its query, without scheme and host. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export type PrimaryAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  /** The request never left: nothing was done. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** It may or may not have been done. */
  | { readonly kind: 'unknown'; readonly reason: string };

const NEVER_SENT: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** HTTP to the primary, over connections that stay open. Never rejects. */
export class PrimaryClient {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly timeoutMs: number) {}

  /**
   * A request that broke with a kept connection is sent once more, over another: it carries an Idempotency-Key or
   * changes nothing, so that it cannot be done twice.
   */
  async send(baseUrl: string, request: ForwardedWrite): Promise<PrimaryAnswer> {
    const first = await this.sendOnce(baseUrl, request);
    return first === 'stale' ? this.sendAgain(baseUrl, request) : first;
  }

  close(): void {
    this.agent.destroy();
  }

  private async sendAgain(baseUrl: string, request: ForwardedWrite): Promise<PrimaryAnswer> {
    const second = await this.sendOnce(baseUrl, request);
    if (second === 'stale') return { kind: 'unknown', reason: 'the connection to the primary broke twice' };
    // The first time it may have arrived.
    return second.kind === 'not-sent' ? { ...second, kind: 'unknown' } : second;
  }

  private sendOnce(baseUrl: string, { method, path, headers, body }: ForwardedWrite): Promise<PrimaryAnswer | 'stale'> {
    return new Promise((resolve) => {
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const { hostname, port } = new URL(baseUrl);
      const request = httpRequest({
        agent: this.agent,
        hostname,
        port,
        path,
        method,
        headers: { ...headers, ...length },
      });
      const timer = setTimeout(() => {
        request.destroy(new Error(`the primary did not answer within ${String(this.timeoutMs)} ms`));
      }, this.timeoutMs);
      let hasBegun = false;
      const settle = (answer: PrimaryAnswer | 'stale'): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const fail = (error: NodeJS.ErrnoException): void => {
        const isStale = request.reusedSocket && !hasBegun && error.code === 'ECONNRESET';
        const kind = NEVER_SENT.has(error.code) ? 'not-sent' : 'unknown';
        settle(isStale ? 'stale' : { kind, reason: error.message });
      };
      request.on('error', fail);
      request.on('response', (response) => {
        hasBegun = true;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          settle({ kind: 'answered', status, headers: response.headers, body: Buffer.concat(chunks) });
        });
      });
      request.end(body);
    });
  }
}
