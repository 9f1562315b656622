import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { AppConfig } from '../../config/index.js';
import { isAppError, type ProcessControl } from '../../kernel/index.js';
import { BookService } from '../../modules/books/index.js';
import { CustomerOperationLedger, CustomerService } from '../../modules/customers/index.js';
import { OperationService } from '../../modules/operations/index.js';
import { TransactionReads } from '../../modules/transactions/index.js';
import { DocumentUserOperationLedger, SqlUserService } from '../../modules/users/index.js';
import { DataFiles } from '../../platform/data-files/index.js';
import { directoriesIn, NodeDisk } from '../../platform/disk/index.js';
import {
  ADDED_KEY_HEADER,
  closeServing,
  createHttpServer,
  IdempotencyGate,
  ProblemFilter,
  requestIds,
  useJsonBodies,
  useOpenRequests,
  useWriteAdmission,
  useWriteStop,
  whyNotListening,
} from '../../platform/http/index.js';
import { HttpObserver, logPort, NestLogger } from '../../platform/observability/index.js';
import { programOf, type RunningServer } from '../../platform/nodes/index.js';
import {
  DataDirectoryLock,
  monotonicMs,
  nextTurn,
  systemClock,
  systemRandom,
  systemTimers,
  uuids,
} from '../../platform/process/index.js';
import { clusterSecret, deriveKey, secretFileIn } from '../../platform/secrets/index.js';
import { bookstoreIn } from '../../platform/sql/index.js';
import { isAuthorized, replicationAuthorization } from '../../protocols/replication/index.js';
import { answerAtStop } from './answer-at-stop.js';
import { ApiModule } from './api.module.js';
import { DatabaseCheck } from './database-check.js';
import { crashSitesOf } from './crash-sites.js';
import { endFirstStart, originOf } from './first-start.js';
import { QUERY_NAMES } from './query-names.js';
import { admitHotReads, YieldingAdapter } from './hot-reads.js';
import { SEED_BOOKS, SEED_CUSTOMERS } from './seed.js';
import { replicate } from './replicate.js';
import { ReadinessGate } from './readiness-gate.js';
import { observeReplication } from './replication-metrics.js';
import { openStores, SEALED_TABLES } from './stores.js';
import { transact } from './transact.js';
import { countTransactions, gaugeInDoubt } from './transaction-metrics.js';
import { serveApiDocumentation } from './swagger.js';

/** Some hundred milliseconds of work. */
const MAX_WRITES_UNDER_WAY = 5_000;
const LOOK_FOR_DIRECTORY_EVERY_MS = 500;
const LOOK_AT_FILES_EVERY_MS = 250;

/**
 * Takes the data directory, recovers the stores, and listens. Rejects with one clear AppError when it cannot.
 * `opened` resolves when data is served, which waits for replicas where there are some; until then all but what tells of
 * the process itself is refused. It rejects with `recovery-needed` when to begin would lose what replicas hold.
 */
export async function startApp(
  config: AppConfig,
  logger: Logger,
  processControl: ProcessControl,
): Promise<RunningServer> {
  const crashSites = crashSitesOf(config.faults);
  const { dataDirectory, replicasDirectory } = config.storage;
  const disk = new NodeDisk();
  await disk.ensureDirectory(dataDirectory);
  const lock = DataDirectoryLock.acquire(dataDirectory);
  lock.watch(systemTimers, LOOK_FOR_DIRECTORY_EVERY_MS, () => {
    processControl.stop(`${dataDirectory} was removed or replaced while it was in use`, undefined);
  });
  const log = logPort(logger);
  const files = new DataFiles(log);
  const stores = await openStores(config, { crashSites, process: processControl, log, files });
  const secret = await clusterSecret(
    { disk, random: systemRandom, crashSites, log },
    {
      given: config.storage.clusterSecret,
      dataDirectory,
      replicaDirectories: await directoriesIn(replicasDirectory),
      keepIn: [dataDirectory],
    },
  );
  files.keep(secretFileIn(dataDirectory));
  const check = new DatabaseCheck(
    { timers: systemTimers, log, files },
    {
      file: bookstoreIn(dataDirectory),
      sealed: SEALED_TABLES,
      program: programOf('checker'),
      everyMs: config.storage.dataCheckEveryMs,
    },
  );
  const endWatch = files.watch(systemTimers, LOOK_AT_FILES_EVERY_MS);

  const origin = await originOf(stores, systemRandom);
  let url = '';
  const replication = replicate(config.replication, secret, stores, {
    log,
    process: processControl,
    primaryUrl: () => config.replication.advertisedUrl ?? url,
    clusterId: origin.kind === 'new' ? origin.clusterId : undefined,
  });
  const observer = new HttpObserver(logger);
  const transactions = transact(config.transactions, stores, replication, {
    log,
    crashSites,
    ended: countTransactions(observer.registry),
  });
  const authorization = replicationAuthorization(secret);
  const server = createHttpServer({
    ...config.http,
    queryNames: QUERY_NAMES,
    provesCluster: (presented) => isAuthorized(presented, authorization),
    nowMs: monotonicMs,
    newRequestId: requestIds(systemRandom),
    logger,
  });
  observer.install(server);
  observeReplication(observer.registry, replication);
  const { coordinator, documents, table } = transactions;
  gaugeInDoubt(observer.registry, new TransactionReads(coordinator, [documents], table));
  const gate = new ReadinessGate(server, () => replication.status.waiting);
  useWriteStop(server, () => files.refusalNow());
  const serveHotReads = await admitHotReads(server, logger);
  const documentApp = await serveApiDocumentation(server, logger);
  observer.gaugeWrites(useWriteAdmission(server, MAX_WRITES_UNDER_WAY));
  const openRequests = useOpenRequests(server, logger);
  useJsonBodies(server);
  const idempotency = new IdempotencyGate({
    ledgers: [
      transactions.operations,
      new CustomerOperationLedger(stores.documents),
      new DocumentUserOperationLedger(stores.documents),
    ],
    hmacKey: deriveKey(secret, 'operation-body-hmac'),
    newOperationId: uuids({ clock: systemClock, random: systemRandom }),
    confirmer: replication,
    timers: systemTimers,
    clock: systemClock,
    answerDeadlineMs: config.transactions.answerDeadlineMs,
    keysPerCaller: config.http.idempotencyKeys,
    isKeyAdded: ({ headers }) => isAuthorized(headers[ADDED_KEY_HEADER]?.toString(), authorization),
  });
  for (const store of [stores.sqlOperations, stores.documents]) await idempotency.count(store.heldKeys(), nextTurn);
  idempotency.install(server);

  const app = await nestApp(server, ApiModule.of(stores, { replication, transactions, observer, gate, files }), logger);
  serveHotReads(app);
  documentApp(app);
  const open = async (): Promise<void> => {
    await replication.open();
    await transactions.open();
    const books = app.get(BookService);
    const users = app.get(SqlUserService);
    await endFirstStart(origin, stores, {
      clock: systemClock,
      seed: async () => {
        if (config.storage.seed === 'off') return;
        await books.seed(SEED_BOOKS);
        await app.get(CustomerService).seed(SEED_CUSTOMERS);
      },
      passOver: [books.passOverIdsWithin.bind(books), users.passOverIdsWithin.bind(users)],
    });
    gate.open();
    check.begin();
  };
  /** A refused start leaves no log of SQLite's behind, which would be played into a copy that is put in its place. */
  const abandon = async (error: unknown): Promise<never> => {
    if (!isAppError(error, 'shutting-down')) await stores.sql.abandon();
    throw error;
  };
  const isAlone = config.replication.nodes.length === 0;
  if (isAlone) await open().catch(abandon);
  await listen(app, config.http).catch(abandon);
  url = await app.getUrl();
  return {
    url,
    opened: isAlone ? Promise.resolve() : open().catch(abandon),
    close: async () => {
      await closeServing(server, {
        close: () => app.close(),
        answerOpen: () => {
          openRequests.answerAll(answerAtStop(app.get(OperationService, { strict: false })));
        },
      });
      await transactions.close();
      replication.close();
      await check.end();
      endWatch();
      await stores.close();
      lock.release();
    },
  };
}

async function nestApp(
  server: FastifyInstance,
  module: DynamicModule,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const adapter = new YieldingAdapter(server);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  await app.init();
  return app;
}

async function listen(app: NestFastifyApplication, { host, port }: AppConfig['http']): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    throw whyNotListening(cause, port, 'set PORT to a free one');
  }
}
