import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { ReaderConfig } from '../../config/index.js';
import type { Log, ProcessControl } from '../../kernel/index.js';
import { BookReads, serveBookReads } from '../../modules/books/index.js';
import { migrationsOf } from '../../modules/store-registration/index.js';
import { STORES } from '../../modules/stores/index.js';
import {
  answerProblems,
  closeServing,
  createHttpServer,
  type HttpServerOptions,
  LISTEN_BACKLOG,
  listenOn,
  notServed,
  type OpenRequests,
  PAGE_QUERIES,
  PREPARED_BODY_BYTES,
  type PreparedBody,
  requestIds,
  sendProblem,
  serveDocumentation,
  toAppError,
  useJsonBodies,
  useOpenRequests,
  useWriteAdmission,
} from '../../platform/http/index.js';
import { NodeClient } from '../../platform/node-client/index.js';
import type { RunningServer } from '../../platform/nodes/index.js';
import { HttpObserver, logPort } from '../../platform/observability/index.js';
import { DataDirectoryLock, microtask, monotonicMs, systemRandom, systemTimers } from '../../platform/process/index.js';
import { QUOTA_USE, RedisQuota } from '../../platform/redis/index.js';
import { deriveKey } from '../../platform/secrets/index.js';
import { SharedCache, sharedRedis } from '../../platform/shared-cache/index.js';
import { BOOKSTORE, bookstoreIn, ReadOnlyDatabase, refusalFrom } from '../../platform/sql/index.js';
import { openClusterProof } from '../../protocols/replication/index.js';
import { serveAbout } from './about-routes.js';
import { serveForwarding } from './forwarding-route.js';
import { readerDocument } from './openapi.js';

const MAX_WRITES_UNDER_WAY = 5_000;
const LOOK_FOR_DATABASE_EVERY_MS = 250;

/**
 * Opens the database of the app for reading, and listens. It serves reads of books itself and forwards all else to the app. It
 * takes no lock and changes no data. Rejects with one AppError when it cannot.
 */
export async function startReader(
  config: ReaderConfig,
  logger: Logger,
  processControl: ProcessControl,
): Promise<RunningServer> {
  const log = logPort(logger);
  const database = ReadOnlyDatabase.open(
    { microtask, log },
    {
      file: bookstoreIn(config.dataDirectory),
      migrations: migrationsOf(BOOKSTORE, STORES),
      isOwned: () => DataDirectoryLock.isHeld(config.dataDirectory),
    },
  );
  try {
    const server = await served(config, database, logger, log);
    const endLooking = endWhenLost(database, server, processControl);
    return {
      url: server.url,
      close: () => {
        endLooking();
        return server.close();
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

async function served(
  config: ReaderConfig,
  database: ReadOnlyDatabase,
  logger: Logger,
  log: Log,
): Promise<RunningServer> {
  const observer = new HttpObserver(logger);
  const redis = sharedRedis(config.redis, { log, registry: observer.registry });
  const isLimited = config.http.requestsPerMinute !== undefined;
  if (isLimited) redis.use(QUOTA_USE);
  let quotaKey: Uint8Array | undefined;
  const proof = await openClusterProof(config, log, (secret) => {
    quotaKey = deriveKey(secret, 'quota');
  });
  const sharedQuota = new RedisQuota(redis, () => quotaKey);
  const options = { ...config.http, sharedQuota, provesCluster: proof.isProvedBy };
  const { server, openRequests } = createServer(logger, observer, options);
  const cache = new SharedCache<PreparedBody>(
    database.reader,
    { maxBytes: config.cache.maxBytes, bytes: PREPARED_BODY_BYTES },
    { log, registry: observer.registry, redis },
  );
  await serveBooks(server, new BookReads(database, cache.reads), logger);
  serveAbout(server, { observer, problem: () => database.problem(), cache });
  await serveDocumentation(server, { title: 'Bifolio reader API', document: readerDocument });
  const client = new NodeClient();
  serveForwarding(server, config, { client, authorization: proof.known, isCounted: isLimited });
  const { host, port } = config.http;
  const url = await listenOn(
    port,
    () => server.listen({ host, port, backlog: LISTEN_BACKLOG }),
    'start this reader with another --port',
  );
  cache.share();
  const close = async (): Promise<void> => {
    proof.close();
    await closeServing(server, {
      close: () => server.close(),
      answerOpen: () => {
        openRequests.answerAll();
      },
    });
    client.close();
    redis.close();
    database.close();
  };
  let closing: Promise<void> | undefined;
  return { url, close: () => (closing ??= close()) };
}

/** What every server of Bifolio has: bodies, refusals, metrics, limits. */
function createServer(
  logger: Logger,
  observer: HttpObserver,
  options: Omit<HttpServerOptions, 'queryNames' | 'nowMs' | 'newRequestId' | 'logger'>,
): { readonly server: FastifyInstance; readonly openRequests: OpenRequests } {
  const server = createHttpServer({
    ...options,
    queryNames: { '/books': PAGE_QUERIES },
    nowMs: monotonicMs,
    newRequestId: requestIds(systemRandom),
    logger,
  });
  observer.install(server);
  observer.gaugeWrites(useWriteAdmission(server, MAX_WRITES_UNDER_WAY));
  useJsonBodies(server);
  const openRequests = useOpenRequests(server, logger);
  answerProblems(server, logger);
  server.setNotFoundHandler((request, reply) => sendProblem(reply, request, notServed(request, reply), logger));
  return { server, openRequests };
}

async function serveBooks(server: FastifyInstance, books: BookReads, logger: Logger): Promise<void> {
  await server.register((reads, _options, done) => {
    reads.setErrorHandler((error, request, reply) =>
      sendProblem(reply, request, toAppError(refusalFrom(error)), logger),
    );
    serveBookReads(reads, () => books);
    done();
  });
}

/** Ends the process, with open requests answered, when the database is lost. The result ends the looking. */
function endWhenLost(database: ReadOnlyDatabase, server: RunningServer, processControl: ProcessControl): () => void {
  let cancel: () => void;
  const look = (): void => {
    const problem = database.problem();
    if (problem === undefined) cancel = systemTimers.after(LOOK_FOR_DATABASE_EVERY_MS, look);
    else {
      void server.close().finally(() => {
        processControl.stop(problem, undefined);
      });
    }
  };
  cancel = systemTimers.after(LOOK_FOR_DATABASE_EVERY_MS, look);
  return () => {
    cancel();
  };
}
