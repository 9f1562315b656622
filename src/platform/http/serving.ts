import type { FastifyInstance } from 'fastify';
import { AppError, type Random } from '../../kernel/index.js';

const CLOSE_IDLE_EVERY_MS = 20;
const PREFIX_BYTES = 6;

/** Short, unique over processes, cheap. */
export function requestIds(random: Random): () => string {
  const prefix = Buffer.from(random.bytes(PREFIX_BYTES)).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}

/** A port that is taken as `port-taken`, with what to do about it; everything else as it is. */
export function whyNotListening(error: unknown, port: number, wayOut: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new AppError('port-taken', `port ${String(port)} is taken by another program: stop it, or ${wayOut}`, {
    retry: 'safe',
    cause: error,
  });
}

/**
 * Runs `close`, which resolves when everything under way has been answered. A connection that is in use when the server
 * is closed stays open after its answer, for as long as the client likes to keep it: each is closed as soon as it falls
 * idle.
 */
export async function closeServing({ server }: FastifyInstance, close: () => Promise<unknown>): Promise<void> {
  const closingIdle = setInterval(() => {
    server.closeIdleConnections();
  }, CLOSE_IDLE_EVERY_MS);
  try {
    await close();
  } finally {
    clearInterval(closingIdle);
  }
}
