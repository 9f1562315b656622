import { createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { AppError, type Random } from '../../kernel/index.js';
import { owedOn } from './unparsable.js';

declare module 'fastify' {
  interface FastifyInstance {
    readonly connections: ReadonlySet<Socket>;
  }
}

/** Each turn accepts one connection, and may wait for the disk to commit the work of an earlier one. */
const READ_WITHIN_MS = 700;
const TURNS_TO_READ = 10;
const DROP_EVERY_MS = 20;
const TRY_PORT_EVERY_MS = 5;
/** Counts from the beginning of the stop. */
const ANSWERED_WITHIN_MS = 1_000;
/** A client that does not read its answer must not delay the end. */
const SENT_WITHIN_MS = 100;
const PREFIX_BYTES = 6;

/**
 * So many connections may wait until they are accepted; Linux allows at most net.core.somaxconn, 4,096. When more clients connect at
 * once, some wait for a second, and in a longer burst the kernel resets the connections of some: with Node's preset of 511 it did so
 * with 35 of 10,000.
 */
export const LISTEN_BACKLOG = 4_096;

/** Short, cheap, and unique across processes. */
export function requestIds(random: Random): () => string {
  const prefix = Buffer.from(random.bytes(PREFIX_BYTES)).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}

/** Resolves to what `start` does. Rejects with `port-taken`, which gives the way out, when another program has the port. */
export async function listenOn<T>(port: number, start: () => Promise<T>, wayOut: string): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw whyNotListening(error, port, wayOut);
  }
}

/**
 * Resolves when no program listens there, or after `withinMs`, when `listenOn` tells. The port of a killed process with many
 * connections is free later than its locks.
 */
export async function untilPortIsFree(
  { host, port }: { readonly host: string; readonly port: number },
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (port !== 0 && performance.now() < deadline && !(await canListen(host, port))) await delay(TRY_PORT_EVERY_MS);
}

/** False only when another program listens there. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code !== 'EADDRINUSE');
      })
      .listen({ host, port }, () => {
        probe.close(() => {
          resolve(true);
        });
      });
  });
}

function whyNotListening(error: unknown, port: number, wayOut: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new AppError(
    'port-taken',
    `port ${String(port)} is in use by another program: stop that program, or ${wayOut}`,
    {
      retry: 'safe',
      cause: error,
    },
  );
}

export interface StopPlan {
  /** Stops accepting; resolves when no connection is left. */
  readonly close: () => Promise<unknown>;
  /** Answers all requests that have no answer yet. */
  readonly answerOpen: () => void;
}

/**
 * Stops serving `server` in little more than a second, whatever its clients do. Requests that arrived whole are answered: by
 * their handlers within a second, else by `answerOpen`. Every other connection is dropped at once: idle, unused, in the middle of
 * a request, or switched to another protocol. Finally, remaining transfers are cut off.
 */
export async function closeServing(server: FastifyInstance, { close, answerOpen }: StopPlan): Promise<void> {
  const { connections } = server;
  const begunMs = performance.now();
  await untilAllIsRead(server);
  const closed = close();
  const dropping = setInterval(() => {
    dropAnswered(connections);
  }, DROP_EVERY_MS);
  try {
    if (await isOverWithin(closed, ANSWERED_WITHIN_MS - (performance.now() - begunMs))) return;
    answerOpen();
    if (await isOverWithin(closed, SENT_WITHIN_MS)) return;
    for (const socket of connections) socket.destroy();
    await closed;
  } finally {
    clearInterval(dropping);
  }
}

/**
 * Input that has already reached this machine is still read. One turn of the event loop accepts one connection (libuv), and a
 * later turn reads from it; reading is over when several turns in a row bring nothing.
 */
async function untilAllIsRead({ server }: FastifyInstance): Promise<void> {
  let arrivals = 0;
  const count = (): void => {
    arrivals += 1;
  };
  server.on('connection', count).on('request', count);
  const deadline = performance.now() + READ_WITHIN_MS;
  let seen: number;
  do {
    seen = arrivals;
    for (let turn = 1; turn <= TURNS_TO_READ; turn += 1) await nextTurn();
  } while (arrivals > seen && performance.now() < deadline);
}

/** Tracks the connections of `server`, including those that Node no longer counts as HTTP. */
export function useConnections(server: FastifyInstance): void {
  const connections = new Set<Socket>();
  server.decorate('connections', connections);
  server.server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
}

/** Drops all connections except those that owe an answer to a whole request; written data is still sent. */
function dropAnswered(connections: ReadonlySet<Socket>): void {
  for (const socket of connections) {
    const owed = owedOn(socket);
    if (owed?.req.complete === true) continue;
    if (owed) socket.destroy();
    else socket.destroySoon();
  }
}

async function isOverWithin(task: Promise<unknown>, withinMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(withinMs, false, { signal: timer.signal }).catch(() => false);
  const isOver = await Promise.race([task.then(() => true), late]);
  timer.abort();
  return isOver;
}
