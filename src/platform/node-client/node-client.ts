import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { secondError, StaleConnection, unsent } from './call-errors.js';
import { type AnswerHead, type Connection, StreamedExchange, WholeExchange } from './exchange.js';

export interface NodeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is held whole, so that it can be sent twice. */
export interface NodeCall extends NodeRequest {
  readonly body?: string | Buffer | undefined;
  /** Done twice, it does no more than done once. */
  readonly isRepeatable: boolean;
}

export interface NodeAnswer extends AnswerHead {
  readonly body: Buffer;
}

export interface NodeStream extends AnswerHead {
  /** Fails when the answer is cut short. */
  readonly chunks: Readable;
}

export interface Upload {
  readonly chunks: AsyncIterable<Buffer>;
  readonly sizeBytes: number;
}

type Dispatched = Dispatcher.DispatchOptions & { readonly exchange: WholeExchange | StreamedExchange };

/**
 * HTTP/1.1 to other nodes, over connections that stay open. All calls reject with an AppError of one line: `not-ready`,
 * `retry: 'safe'`, when not a byte was sent, else `outcome-unknown`. Follows no redirect.
 */
export class NodeClient {
  private readonly pools = new Map<string, Pool>();
  private readonly sockets = new Set<Socket>();
  private isClosed = false;

  /** `maxAnswerBytes`: longer answers are broken off. */
  constructor(private readonly options: { readonly maxAnswerBytes?: number } = {}) {}

  /**
   * Resolves with the whole answer, within `timeoutMs`. A repeatable request whose kept connection turned out to be closed
   * before a byte of the answer is sent once more, over another connection.
   */
  async call(origin: string, request: NodeCall, timeoutMs: number): Promise<NodeAnswer> {
    const deadlineMs = performance.now() + timeoutMs;
    try {
      return await this.callOnce(origin, request, timeoutMs);
    } catch (error) {
      if (!(error instanceof StaleConnection) || !request.isRepeatable || this.isClosed) throw error;
    }
    try {
      return await this.callOnce(origin, request, Math.max(1, deadlineMs - performance.now()), true);
    } catch (error) {
      throw secondError(error);
    }
  }

  /**
   * Resolves when the answer begins; what of `upload` is not sent by then may never be. Nothing is sent twice, and everything
   * is broken off when nothing moves for `idleMs`.
   */
  stream(origin: string, request: NodeRequest, idleMs: number, upload?: Upload): Promise<NodeStream> {
    return new Promise((resolve, reject) => {
      const { method, path, headers } = request;
      const exchange = new StreamedExchange(idleMs, resolve, reject);
      const body = upload ? Readable.from(exchange.sending(upload.chunks), { objectMode: false }) : null;
      const length = upload && { 'content-length': String(upload.sizeBytes) };
      this.dispatch(origin, { exchange, method, path, headers: { ...headers, ...length }, body });
    });
  }

  /** What is under way breaks, and later calls are refused. */
  close(): void {
    this.isClosed = true;
    for (const pool of this.pools.values()) void pool.destroy();
    for (const socket of this.sockets) socket.destroy();
  }

  private callOnce(origin: string, call: NodeCall, timeoutMs: number, isAgain = false): Promise<NodeAnswer> {
    return new Promise((resolve, reject) => {
      const { method, path, headers = {}, body = null } = call;
      const exchange = new WholeExchange(timeoutMs, resolve, reject);
      this.dispatch(origin, { exchange, method, path, headers, body }, isAgain);
    });
  }

  /** `isAgain`: over a connection of its own, as others that were kept may be closed too. */
  private dispatch(origin: string, options: Dispatched, isAgain = false): void {
    const { exchange } = options;
    if (this.isClosed) {
      exchange.onResponseError(undefined, unsent('this client is closed'));
    } else if (isAgain) {
      const client = this.clientTo(origin);
      client.dispatch(options, exchange);
      void client.close();
    } else {
      this.poolTo(origin).dispatch(options, exchange);
    }
  }

  private poolTo(origin: string): Pool {
    let pool = this.pools.get(origin);
    if (!pool) {
      pool = new Pool(origin, { factory: () => this.clientTo(origin) });
      this.pools.set(origin, pool);
    }
    return pool;
  }

  private clientTo(origin: string): Client {
    const connection: Connection = {};
    return new ConnectedClient(connection, origin, {
      // The exchange keeps the time: timeouts of undici tick in half seconds.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: this.options.maxAnswerBytes ?? -1,
      connect: (to: buildConnector.Options, done: buildConnector.Callback) => {
        connection.socket = this.connect(to, done);
      },
    });
  }

  private connect({ hostname, port }: buildConnector.Options, done: buildConnector.Callback): Socket {
    const socket = connect({ host: hostname, port: port === '' ? 80 : Number(port), noDelay: true, keepAlive: true });
    this.sockets.add(socket);
    let isConnected = false;
    let failure: Error | undefined;
    socket.once('connect', () => {
      isConnected = true;
      done(null, socket);
    });
    socket.once('error', (error) => (failure = error));
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (!isConnected) done(failure ?? new Error('given up'), null);
    });
    return socket;
  }
}

/** Tells each exchange which connection it goes over. */
class ConnectedClient extends Client {
  constructor(
    private readonly connection: Connection,
    origin: string,
    options: Client.Options,
  ) {
    super(origin, options);
  }

  override dispatch(options: Dispatched, handler: Dispatcher.DispatchHandler): boolean {
    options.exchange.connection = this.connection;
    return super.dispatch(options, handler);
  }
}
