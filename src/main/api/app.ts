import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { AppConfig } from '../../config/index.js';
import { AppError, type ProcessControl } from '../../kernel/index.js';
import { BookService } from '../../modules/books/index.js';
import { CustomerOperationLedger, CustomerService } from '../../modules/customers/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import {
  createHttpServer,
  IdempotencyGate,
  ProblemFilter,
  useJsonBodies,
  useWriteAdmission,
} from '../../platform/http/index.js';
import { HttpObserver, logPort, NestLogger } from '../../platform/observability/index.js';
import { DataDirectoryLock, systemClock, systemRandom } from '../../platform/process/index.js';
import { ApiModule } from './api.module.js';
import { clusterSecret, deriveKey } from './cluster-secret.js';
import { crashSitesOf } from './crash-sites.js';
import { admitHotReads, YieldingAdapter } from './hot-reads.js';
import { SEED_BOOKS, SEED_CUSTOMERS } from './seed.js';
import { openStores, type Stores } from './stores.js';
import { serveApiDocumentation } from './swagger.js';

/** Some hundred milliseconds of work. */
const MOST_WRITES_UNDER_WAY = 5_000;
const CLOSE_IDLE_EVERY_MS = 20;
const UUID_BYTES = 16;

export interface RunningApp {
  /** Where it listens, `http://host:port`. */
  readonly url: string;
  /** Stops accepting, finishes what is under way, makes everything durable, gives the data directory back. */
  close(): Promise<void>;
}

/** Takes the data directory, recovers the stores, and listens. Rejects with one clear AppError when it cannot. */
export async function startApp(config: AppConfig, logger: Logger, processControl: ProcessControl): Promise<RunningApp> {
  const crashSites = crashSitesOf(config.faults);
  const { dataDirectory } = config.storage;
  const disk = new NodeDisk();
  await disk.ensureDirectory(dataDirectory);
  const lock = DataDirectoryLock.acquire(dataDirectory);
  const stores = await openStores(config, {
    crashSites,
    process: processControl,
    log: logPort(logger),
  });
  const secret = await clusterSecret(
    { disk, random: systemRandom, crashSites },
    dataDirectory,
    config.storage.clusterSecret,
  );

  const observer = new HttpObserver(logger);
  const server = await createHttpServer({
    apiKeys: config.http.apiKeys,
    requestsPerMinute: config.http.requestsPerMinute,
    newRequestId: requestIds(),
    logger,
  });
  observer.install(server);
  const serveHotReads = await admitHotReads(server, logger);
  useWriteAdmission(server, MOST_WRITES_UNDER_WAY);
  useJsonBodies(server);
  new IdempotencyGate({
    ledgers: [stores.sqlOperations, new CustomerOperationLedger(stores.documents)],
    hmacKey: deriveKey(secret, 'operation-body-hmac'),
    newOperationId: () => uuidV7({ random: systemRandom.bytes(UUID_BYTES), msecs: systemClock.nowMs() }),
  }).install(server);

  const app = await nestApp(server, stores, observer, logger);
  serveHotReads(app);
  if (config.storage.seed) {
    await app.get(BookService).seed(SEED_BOOKS);
    await app.get(CustomerService).seed(SEED_CUSTOMERS);
  }
  await listen(app, config.http);
  return {
    url: await app.getUrl(),
    close: async () => {
      await closeServer(app, server);
      await stores.close();
      lock.release();
    },
  };
}

async function nestApp(
  server: FastifyInstance,
  stores: Stores,
  observer: HttpObserver,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const adapter = new YieldingAdapter(server);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.of(stores, observer), adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  serveApiDocumentation(app);
  await app.init();
  return app;
}

async function listen(app: NestFastifyApplication, { host, port }: AppConfig['http']): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new AppError(
      'port-taken',
      `port ${String(port)} is taken by another program: stop it, or set PORT to a free one`,
      {
        retry: 'safe',
        cause,
      },
    );
  }
}

/**
 * Resolves when everything under way has been answered. A connection that is in use when the server is closed stays
 * open after its answer, for as long as the client likes to keep it: each is closed as soon as it falls idle.
 */
async function closeServer(app: NestFastifyApplication, { server }: FastifyInstance): Promise<void> {
  const closingIdle = setInterval(() => {
    server.closeIdleConnections();
  }, CLOSE_IDLE_EVERY_MS);
  try {
    await app.close();
  } finally {
    clearInterval(closingIdle);
  }
}

/** Short, unique over processes, cheap. */
function requestIds(): () => string {
  const prefix = Buffer.from(systemRandom.bytes(6)).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}
