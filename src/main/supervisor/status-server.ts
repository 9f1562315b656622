import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '../../kernel/index.js';
import {
  answerUnparsable,
  type ApiKey,
  listenOn,
  problemHeaders,
  problemOf,
  refusalOfHost,
  theKeyAmong,
  unauthorized,
} from '../../platform/http/index.js';
import type { SupervisorStatus } from '../../protocols/failover/index.js';

const HOST = '127.0.0.1';
const MAX_CONNECTIONS = 100;
const LIMITS = {
  headersTimeout: 2_000,
  requestTimeout: 2_500,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 4_096,
};

export interface StatusServerOptions {
  /** 0: any free one. */
  readonly port: number;
  /** When there are some, `/status` needs one. */
  readonly apiKeys: readonly ApiKey[];
  readonly status: () => SupervisorStatus;
}

/**
 * Answers `GET /status`, and `GET /health/live` with this process's pid, so that `npm stop` never mistakes another program with the pid of
 * an earlier supervisor for this one. When there are too many connections, the oldest is closed: every answer is immediate, so that
 * connection is idle. Rejects with `port-taken`.
 */
export function serveStatus(options: StatusServerOptions): Promise<{ readonly url: string; readonly server: Server }> {
  const refusalOf = refusalOfHost(new Set());
  const keyOf = theKeyAmong(options.apiKeys);
  const answers: Readonly<Record<string, (request: IncomingMessage) => object>> = {
    '/health/live': () => ({ status: 'ok', pid: process.pid }),
    '/status': (request) => {
      if (options.apiKeys.length > 0 && !keyOf(request)) throw unauthorized();
      return options.status();
    },
  };
  const server = createServer(LIMITS, (request, response) => {
    const target = request.url ?? '/';
    const answer = request.method === 'GET' ? answers[target.replace(/\?.*$/, '')] : undefined;
    const refusal = refusalOf(request) ?? (answer ? undefined : unknownTarget(target));
    const { status, headers, body } = refusal ? refused(refusal, target) : answered(() => answer?.(request), target);
    const always = {
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      connection: 'close',
    };
    response.writeHead(status, { ...headers, ...always }).end(body);
  });
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size > MAX_CONNECTIONS) open.values().next().value?.destroy();
  });
  server.on('clientError', (error, socket) => {
    answerUnparsable(error, socket as Socket, randomUUID());
  });
  return listenOn(options.port, () => listening(server, options.port), 'set SUPERVISOR_PORT to a free one');
}

function listening(server: Server, port: number): Promise<{ readonly url: string; readonly server: Server }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      resolve({ url: `http://${HOST}:${String((server.address() as AddressInfo).port)}`, server });
    });
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function answered(answer: () => object | undefined, target: string): Answer {
  try {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer()) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refused(error, target);
  }
}

function refused(refusal: AppError, target: string): Answer {
  const problem = problemOf(refusal, target);
  return { status: problem.status, headers: problemHeaders(refusal), body: JSON.stringify(problem) };
}

function unknownTarget(target: string): AppError {
  return new AppError('route-not-found', `nothing answers ${target}; GET /status and GET /health/live do`, {
    retry: 'never',
  });
}
