import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ReaderConfig } from '../../config/index.js';
import type { Log, ProcessControl } from '../../kernel/index.js';
import { BookReads, serveBookReads } from '../../modules/books/index.js';
import { STORES } from '../../modules/stores/index.js';
import { NO_CRASH_SITES } from '../../platform/crash-sites/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import {
  answerProblems,
  closeServing,
  createHttpServer,
  listenOn,
  notServed,
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
import { fileLayoutOf, isSameProcess, readRunFile, type RunningServer } from '../../platform/nodes/index.js';
import { HttpObserver, logPort } from '../../platform/observability/index.js';
import {
  DataDirectoryLock,
  microtask,
  monotonicMs,
  systemClock,
  systemRandom,
  systemTimers,
  uuids,
} from '../../platform/process/index.js';
import { QUOTA_USE, RedisQuota } from '../../platform/redis/index.js';
import { deriveKey, knownClusterSecret } from '../../platform/secrets/index.js';
import { SharedCache, sharedRedis } from '../../platform/shared-cache/index.js';
import {
  BOOKSTORE,
  bookstoreIn,
  PLATFORM_MIGRATIONS,
  ReadOnlyDatabase,
  refusalFrom,
} from '../../platform/sql/index.js';
import {
  forward,
  type ForwardingOptions,
  isAuthorized,
  replicationAuthorization,
  returnedHeaders,
} from '../../protocols/replication/index.js';
import { serveAbout } from './about-routes.js';
import { ActiveApp } from './active-app.js';
import { readerDocument } from './openapi.js';

const MAX_WRITES_UNDER_WAY = 5_000;
const LOOK_FOR_DATABASE_EVERY_MS = 250;
const LOOK_FOR_SECRET_EVERY_MS = 1_000;
/** The app answers those that it does not serve: 405 or 404. */
const FORWARDED_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/**
 * Opens the database of the app for reading, and listens. It serves reads of books itself and forwards all else to the app. It
 * takes no lock and changes nothing. Rejects with one AppError when it cannot.
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
      migrations: [
        ...PLATFORM_MIGRATIONS,
        ...STORES.flatMap((store) => (store.kind === 'sql' && store.file === BOOKSTORE ? store.migrations : [])),
      ],
      isOwned: () => DataDirectoryLock.isHeld(config.dataDirectory),
    },
  );
  try {
    return await served(config, database, { logger, log, processControl });
  } catch (error) {
    database.close();
    throw error;
  }
}

async function served(
  config: ReaderConfig,
  database: ReadOnlyDatabase,
  own: { readonly logger: Logger; readonly log: Log; readonly processControl: ProcessControl },
): Promise<RunningServer> {
  const { logger, log } = own;
  const client = new NodeClient();
  const observer = new HttpObserver(logger);
  const redis = sharedRedis(config.redis, { log, registry: observer.registry });
  const isLimited = config.http.requestsPerMinute !== undefined;
  if (isLimited) redis.use(QUOTA_USE);
  let quotaKey: Uint8Array | undefined;
  const authorization = await authorizationOf(config, log, (secret) => {
    quotaKey = deriveKey(secret, 'quota');
  });
  const server = createHttpServer({
    ...config.http,
    sharedQuota: new RedisQuota(redis, () => quotaKey),
    queryNames: { '/books': PAGE_QUERIES },
    provesCluster: (presented) => {
      const expected = authorization.known();
      return expected !== undefined && isAuthorized(presented, expected);
    },
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
  const cache = new SharedCache<PreparedBody>(
    database.reader,
    { maxBytes: config.cache.maxBytes, bytes: PREPARED_BODY_BYTES },
    { log, registry: observer.registry, redis },
  );
  const books = new BookReads(database, cache.reads);
  await server.register((reads, _options, done) => {
    reads.setErrorHandler((error, request, reply) =>
      sendProblem(reply, request, toAppError(refusalFrom(error)), logger),
    );
    serveBookReads(reads, () => books);
    done();
  });
  serveAbout(server, { observer, problem: () => database.problem(), cache });
  await serveDocumentation(server, { title: 'Bifolio reader API', document: readerDocument });
  const runFile = fileLayoutOf({ ...config, replicasDirectory: '' }).app.runFile.path;
  const app = new ActiveApp({
    client,
    urls: config.appAddresses.map((address) => `http://${address}`),
    noted: () => {
      const note = readRunFile(runFile);
      return note && isSameProcess(note) ? note.url : undefined;
    },
    nowMs: monotonicMs,
  });
  serveForwarding(server, {
    forwarder: 'this reader',
    send: (call, timeoutMs) => app.call(call, timeoutMs),
    newKey: uuids({ clock: systemClock, random: systemRandom }),
    authorization: authorization.known,
    isCounted: isLimited,
    writeDeadlineMs: config.writeDeadlineMs,
  });
  const { host, port } = config.http;
  const url = await listenOn(port, () => server.listen({ host, port }), 'start this reader with another --port');
  cache.share();
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    authorization.forget();
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
  const look = (): void => {
    if (isClosed) return;
    const problem = database.problem();
    if (problem === undefined) systemTimers.after(LOOK_FOR_DATABASE_EVERY_MS, look);
    else {
      void close().finally(() => {
        own.processControl.stop(problem, undefined);
      });
    }
  };
  look();
  return { url, close };
}

/** Every request that no other route serves goes to the app. */
function serveForwarding(server: FastifyInstance, options: ForwardingOptions): void {
  server.route({
    method: FORWARDED_METHODS,
    url: '/*',
    config: { isForwarding: true },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const answer = await forward(request, reply, options);
      reply.code(answer.status).headers(returnedHeaders(answer));
      return answer.body.length === 0 ? reply.send() : reply.send(answer.body);
    },
  });
}

/** What processes of this system show each other; undefined until the first start of the app has made the secret. */
async function authorizationOf(
  { dataDirectory, clusterSecret: given }: ReaderConfig,
  log: Log,
  found: (secret: string) => void,
): Promise<{ readonly known: () => string | undefined; readonly forget: () => void }> {
  let authorization: string | undefined;
  let cancel: () => void = () => undefined;
  const ports = { disk: new NodeDisk(), random: systemRandom, crashSites: NO_CRASH_SITES, log };
  const sources = { given, dataDirectory, replicaDirectories: [], keepIn: [] };
  const look = async (): Promise<void> => {
    const secret = await knownClusterSecret(ports, sources).catch((error: unknown) => {
      log.warn('the cluster secret cannot be read', { error: String(error) });
      return undefined;
    });
    if (secret !== undefined) {
      authorization = replicationAuthorization(secret);
      found(secret);
    } else cancel = systemTimers.after(LOOK_FOR_SECRET_EVERY_MS, () => void look());
  };
  await look();
  return {
    known: () => authorization,
    forget: () => {
      cancel();
    },
  };
}
