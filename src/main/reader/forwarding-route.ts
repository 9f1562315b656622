import type { FastifyInstance } from 'fastify';
import type { ReaderConfig } from '../../config/index.js';
import { hashesPassword, takesLong } from '../../modules/long-requests/index.js';
import type { NodeClient } from '../../platform/node-client/index.js';
import { appUrlsOf } from '../../platform/nodes/index.js';
import { monotonicMs, systemClock, systemRandom, uuids } from '../../platform/process/index.js';
import { ActiveApp, forward, type ForwardingOptions, returnedHeaders } from '../../protocols/replication/index.js';

/** The app answers those that it does not serve: 405 or 404. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** Every request that no other route serves goes to the app of this installation. */
export function serveForwarding(
  server: FastifyInstance,
  config: ReaderConfig,
  own: Pick<ForwardingOptions, 'authorization' | 'isCounted'> & { readonly client: NodeClient },
): void {
  const app = new ActiveApp({
    client: own.client,
    urls: appUrlsOf(config, monotonicMs),
    nowhere: 'no app runs on DATA_DIR on this machine: start it, or set APP_ADDRESSES to where it runs',
    nowMs: monotonicMs,
  });
  const options: ForwardingOptions = {
    ...own,
    forwarder: 'this reader',
    send: (call, timeoutMs) => app.call(call, timeoutMs),
    newKey: uuids({ clock: systemClock, random: systemRandom }),
    deadlineMs: (path) => (takesLong(path) || hashesPassword(path) ? config.longDeadlineMs : config.writeDeadlineMs),
  };
  server.route({
    method: METHODS,
    url: '/*',
    config: { isForwarding: true },
    handler: async (request, reply) => {
      const answer = await forward(request, reply, options);
      reply.code(answer.status).headers(returnedHeaders(answer));
      return answer.body.length === 0 ? reply.send() : reply.send(answer.body);
    },
  });
}
