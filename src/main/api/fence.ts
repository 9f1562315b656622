import type { FastifyInstance } from 'fastify';
import type { Timers } from '../../kernel/index.js';
import type { SqlReader } from '../../platform/sql/index.js';

const LOOK_EVERY_MS = 250;

/**
 * Lets a process that was stopped and continues answer nothing that it has in memory before it knows that no successor has taken
 * over: each request asks, and the database is looked at when the last look is more than 250 ms old. The process ends at the first
 * look that finds a successor. Create the fence before the routes. Without requests it looks by itself until the returned function is
 * called.
 */
export function useFence(server: FastifyInstance, reader: Pick<SqlReader, 'assertOwned'>, timers: Timers): () => void {
  server.addHook('onRequest', (_request, _reply, done) => {
    try {
      reader.assertOwned();
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  });
  let cancel: () => void = () => undefined;
  const look = (): void => {
    cancel = timers.after(LOOK_EVERY_MS, () => {
      try {
        reader.assertOwned();
      } catch {
        // A request meets the same error. If it means a successor, the process has been stopped.
      }
      look();
    });
  };
  look();
  return () => {
    cancel();
  };
}
