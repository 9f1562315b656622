import {
  Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { isAppError } from '../../kernel/index.js';
import { callError, lateError, secondError, StaleConnection, unsent } from './call-errors.js';
import { sendChunks, type Upload } from './upload.js';

export interface NodeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Includes the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is held whole, so that it can be sent twice. */
export interface NodeCall extends NodeRequest {
  readonly body?: string | Buffer | undefined;
  /** Whether repeating the call has no further effect. */
  readonly isRepeatable: boolean;
}

interface AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface NodeAnswer extends AnswerHead {
  readonly body: Buffer;
}

export interface NodeStream extends AnswerHead {
  /** Can be read once. Reading fails when the answer is cut short. */
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * HTTP/1.1 to other nodes, over kept-alive connections. Calls reject with an AppError of one line: `not-ready`, `retry: 'safe'`,
 * when no byte was sent, else `outcome-unknown`. Redirects are not followed. undici's Pool would need half of the CPU, but waits
 * one event-loop turn before it reuses a connection (docs/adr/0024).
 */
export class NodeClient {
  private readonly agent = new Agent({ keepAlive: true, noDelay: true });
  /** First attempts are not listed; the agent knows them. */
  private readonly secondAttempts = new Set<ClientRequest>();
  private readonly targets = new Map<string, { readonly host: string; readonly port: string | number }>();
  private isClosed = false;

  /** Longer answers than `maxAnswerBytes` are aborted. */
  constructor(private readonly options: { readonly maxAnswerBytes?: number } = {}) {}

  /**
   * Resolves with the whole answer, within `timeoutMs`. A repeatable request whose kept-alive connection closed before the first
   * byte of the answer is sent once more, over a new connection.
   */
  async call(origin: string, call: NodeCall, timeoutMs: number): Promise<NodeAnswer> {
    const deadlineMs = performance.now() + timeoutMs;
    try {
      return await this.callOnce(origin, call, timeoutMs, this.agent);
    } catch (error) {
      if (!(error instanceof StaleConnection) || !call.isRepeatable || this.isClosed) throw error;
    }
    try {
      return await this.callOnce(origin, call, Math.max(1, deadlineMs - performance.now()), false);
    } catch (error) {
      throw secondError(error);
    }
  }

  /** Resolves when the answer begins, perhaps before all of `upload` is sent. Never resends; aborts after `idleMs` of silence. */
  stream(origin: string, asked: NodeRequest, idleMs: number, upload?: Upload): Promise<NodeStream> {
    return new Promise((resolve, reject) => {
      const attempt = this.begin(origin, asked, upload?.sizeBytes, this.agent);
      const { request } = attempt;
      request.setTimeout(idleMs, () => request.destroy(lateError(idleMs, attempt.isSent)));
      // The request's own timer starts only when the connection stands.
      request.once('socket', (socket) => socket.setTimeout(idleMs));
      request.on('error', (error) => {
        reject(attempt.errorOf(error));
      });
      let answer: IncomingMessage | undefined;
      request.on('response', (response) => {
        answer = response;
        resolve({ ...headOf(response), chunks: chunksOf(response, attempt) });
      });
      if (upload) void sendChunks(request, upload.chunks, () => answer);
      else request.end();
    });
  }

  /** Aborts calls under way and refuses later ones. */
  close(): void {
    this.isClosed = true;
    for (const request of this.secondAttempts) request.destroy(new Error('this client is closed'));
    this.agent.destroy();
  }

  private callOnce(origin: string, call: NodeCall, timeoutMs: number, agent: Agent | false): Promise<NodeAnswer> {
    return new Promise((resolve, reject) => {
      const { body } = call;
      const attempt = this.begin(origin, call, body === undefined ? undefined : Buffer.byteLength(body), agent);
      const { request } = attempt;
      let isOver = false;
      // If this process was held up, an answer that has arrived is read before the next turn.
      const timer = setTimeout(() => {
        setImmediate(() => {
          if (!isOver) request.destroy(lateError(timeoutMs, attempt.isSent));
        });
      }, timeoutMs);
      const fail = (error: Error): void => {
        isOver = true;
        clearTimeout(timer);
        reject(attempt.errorOf(error));
      };
      request.on('error', fail);
      request.on('response', (response) => {
        this.readWhole(response, (whole) => {
          isOver = true;
          clearTimeout(timer);
          resolve({ ...headOf(response), body: whole });
        });
        response.on('error', fail);
      });
      request.end(body);
    });
  }

  private begin(origin: string, asked: NodeRequest, length: number | undefined, agent: Agent | false): Attempt {
    if (this.isClosed) throw unsent('this client is closed');
    const { method, path, headers } = asked;
    const sized = length === undefined ? headers : { ...headers, 'content-length': String(length) };
    try {
      const request = httpRequest({ agent, ...this.targetOf(origin), method, path, headers: sized });
      if (agent === false) {
        this.secondAttempts.add(request);
        request.once('close', () => this.secondAttempts.delete(request));
      }
      return new Attempt(request);
    } catch (error) {
      throw callError(error as Error, false, false);
    }
  }

  private targetOf(origin: string): { readonly host: string; readonly port: string | number } {
    let target = this.targets.get(origin);
    if (!target) {
      const { hostname, port } = urlToHttpOptions(new URL(origin));
      target = { host: hostname ?? '', port: port ?? 80 };
      this.targets.set(origin, target);
    }
    return target;
  }

  private readWhole(response: IncomingMessage, done: (body: Buffer) => void): void {
    const { maxAnswerBytes = Infinity } = this.options;
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxAnswerBytes) response.destroy(new Error('the answer is too long'));
    });
    response.on('end', () => {
      const [only] = chunks;
      done(chunks.length === 1 && only ? only : Buffer.concat(chunks, size));
    });
  }
}

/** Error codes which mean that the other side has closed the connection. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** A request and its progress. */
class Attempt {
  /** Once there is a connection, part of the request may have arrived. */
  isSent = false;
  private readBefore = 0;

  constructor(readonly request: ClientRequest) {
    request.once('socket', (socket) => {
      this.readBefore = socket.bytesRead;
      if (socket.connecting) socket.once('connect', () => (this.isSent = true));
      else this.isSent = !socket.destroyed;
    });
  }

  errorOf(error: Error): Error {
    if (isAppError(error)) return error;
    const { reusedSocket, socket } = this.request;
    const isUnread = socket?.bytesRead === this.readBefore;
    return callError(error, this.isSent, reusedSocket && isUnread && CLOSED.has((error as NodeJS.ErrnoException).code));
  }
}

function headOf({ statusCode = 0, headers }: IncomingMessage): AnswerHead {
  return { status: statusCode, headers };
}

async function* chunksOf(response: IncomingMessage, attempt: Attempt): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw attempt.errorOf(error as Error);
  }
}
