import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { AppError } from '../../../kernel/index.js';

/** Where to, over whose connections, and by what right. */
export interface ReplicaEndpoint {
  readonly agent: Agent;
  readonly host: string;
  readonly port: number;
  /** Value of the `Authorization` header. */
  readonly authorization: string;
  /** Then nothing is sent any more. */
  readonly isClosed: boolean;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Exchanged {
  readonly status: number;
  readonly body: Buffer;
}

type Problem = { readonly detail?: unknown } | null;

/** Of an answer that tells no more than a refusal. */
const MAX_QUOTED_ANSWER_LENGTH = 200;

/**
 * Sends one message and reads the whole answer within `timeoutMs`; the connection of one that took longer is given up,
 * so that its late answer cannot be taken for another's. Rejects with an AppError of one line.
 */
export async function exchange(
  place: ReplicaEndpoint,
  question: Question & { readonly body?: Buffer },
  timeoutMs: number,
): Promise<Exchanged> {
  const deadlineMs = performance.now() + timeoutMs;
  try {
    return await exchangeOnce(place, question, timeoutMs);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    if (place.isClosed) throw silence(timeoutMs);
  }
  return exchangeOnce(place, question, Math.max(1, deadlineMs - performance.now()));
}

/** A kept connection that broke before an answer began, most likely closed meanwhile. Every message may be sent again. */
class StaleConnection extends Error {}

function exchangeOnce(
  place: ReplicaEndpoint,
  question: Question & { readonly body?: Buffer },
  timeoutMs: number,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const request = prepare(place, question, question.body?.length);
    let isOver = false;
    // An answer that has come while this process was held up is read before the next turn.
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (!isOver) request.destroy(silence(timeoutMs));
      });
    }, timeoutMs);
    let hasBegun = false;
    const fail = (error: Error): void => {
      isOver = true;
      clearTimeout(timer);
      const isStale = request.reusedSocket && !hasBegun && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      reject(isStale ? new StaleConnection() : readable(error));
    };
    request.on('error', fail);
    request.on('response', (response) => {
      hasBegun = true;
      readWhole(response, (body) => {
        isOver = true;
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body });
      });
      response.on('error', fail);
    });
    request.end(question.body);
  });
}

/**
 * Sends `sizeBytes` bytes from `chunks`, or nothing, and resolves with the answer as soon as it begins; what has not been sent
 * by then is not sent any more. Everything is broken off when nothing moves for `idleMs`.
 */
export function beginExchange(
  place: ReplicaEndpoint,
  question: Question,
  idleMs: number,
  upload?: { readonly chunks: AsyncIterable<Buffer>; readonly sizeBytes: number },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = prepare(place, question, upload?.sizeBytes);
    request.setTimeout(idleMs, () => {
      request.destroy(silence(idleMs));
    });
    request.on('error', (error) => {
      reject(readable(error));
    });
    let answer: IncomingMessage | undefined;
    request.on('response', (response) => {
      answer = response;
      resolve(response);
    });
    if (upload) void send(request, upload.chunks, () => answer);
    else request.end();
  });
}

/** The rest of an answer that has begun. */
export function readRest(response: IncomingMessage): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    readWhole(response, (body) => {
      resolve({ status: response.statusCode ?? 0, body });
    });
    response.on('error', (error) => {
      reject(readable(error));
    });
  });
}

/** The bytes of an answer as they come. Throws when the answer is cut short. */
export async function* chunksOf(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw readable(error as Error);
  }
}

/** What an answer that is no answer to the message says, in one line. */
export function unexpectedAnswer({ status, body }: Exchanged): AppError {
  if (status === 401) return new AppError('unauthorized', 'it has another cluster secret', { retry: 'never' });
  const said = detailOf(body.toString('utf8')).slice(0, MAX_QUOTED_ANSWER_LENGTH).replace(/\s+/g, ' ');
  const code = status === 503 ? 'not-ready' : 'internal';
  return new AppError(code, `it answered ${String(status)}${said && `: ${said}`}`, { retry: 'unknown' });
}

function prepare(
  place: ReplicaEndpoint,
  { method, path, headers }: Question,
  length: number | undefined,
): ClientRequest {
  const { agent, host, port, authorization } = place;
  return httpRequest({
    agent,
    host,
    port,
    method,
    path,
    headers: { authorization, ...headers, ...(length !== undefined && { 'content-length': length }) },
  });
}

function readWhole(response: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('end', () => {
    const [only] = chunks;
    done(chunks.length === 1 && only ? only : Buffer.concat(chunks));
  });
}

async function send(
  request: ClientRequest,
  chunks: AsyncIterable<Buffer>,
  answer: () => IncomingMessage | undefined,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (request.destroyed) return;
      const early = answer();
      if (early) {
        if (early.readableEnded) request.destroy();
        else early.once('end', () => request.destroy());
        return;
      }
      if (!request.write(chunk)) await movement(request);
    }
    request.end();
  } catch (error) {
    request.destroy(error as Error);
  }
}

/** Until more can be written, or nothing more needs to be. */
function movement(request: ClientRequest): Promise<void> {
  const events = ['drain', 'response', 'close'] as const;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
  });
}

function silence(timeoutMs: number): AppError {
  const message = `no answer within ${String(Math.ceil(timeoutMs))} ms`;
  return new AppError('outcome-unknown', message, { retry: 'unknown' });
}

/** Node's errors of a connection, as one line. */
function readable(error: Error): AppError {
  if (error instanceof AppError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') {
    return new AppError('not-ready', 'connection refused: nothing is listening there', { retry: 'safe', cause: error });
  }
  const message = `the connection broke${code === undefined ? '' : ` (${code})`}: ${error.message}`;
  return new AppError('outcome-unknown', message, { retry: 'unknown', cause: error });
}

function detailOf(text: string): string {
  try {
    const detail = (JSON.parse(text) as Problem)?.detail;
    return typeof detail === 'string' ? detail : text;
  } catch {
    return text;
  }
}
