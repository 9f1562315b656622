import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pid } from 'node:process';
import type { Logger } from 'pino';
import { OperationService } from '../../modules/operations/index.js';
import { TRANSACTION_QUERIES, TransactionReads } from '../../modules/transactions/index.js';
import {
  ADDED_KEY_HEADER,
  answerProblems,
  closeServing,
  createHttpServer,
  IdempotencyGate,
  incarnationOf,
  KEY_MADE_FOR_HEADER,
  LISTEN_BACKLOG,
  listenOn,
  ProblemFilter,
  type QueryNames,
  requestIds,
  serveEcho,
  useJsonBodies,
  useOpenRequests,
  useWriteAdmission,
  useWriteStop,
} from '../../platform/http/index.js';
import { DocumentOperationLedger } from '../../platform/documents/index.js';
import { HttpObserver, logPort, NestLogger } from '../../platform/observability/index.js';
import type { RunningServer } from '../../platform/nodes/index.js';
import { monotonicMs, nextTurn, systemClock, systemRandom, systemTimers, uuids } from '../../platform/process/index.js';
import { QUOTA_USE, RedisQuota } from '../../platform/redis/index.js';
import { deriveKey } from '../../platform/secrets/index.js';
import { sharedRedis } from '../../platform/shared-cache/index.js';
import { isAuthorized, replicationAuthorization } from '../../protocols/replication/index.js';
import { gaugeSagas } from './saga-metrics.js';
import { answerAtStop } from './answer-at-stop.js';
import { ApiModule } from './api.module.js';
import { AppCache } from './app-cache.js';
import { checkOut } from './check-out.js';
import { drainGuard } from './drain-guard.js';
import { appEcho } from './echo.controller.js';
import { useFence } from './fence.js';
import { endFirstStart } from './first-start.js';
import { admitHotReads, YieldingAdapter } from './hot-reads.js';
import type { OpenedStores } from './open.js';
import { ReadinessGate } from './readiness-gate.js';
import { replicate } from './replicate.js';
import { keepPasswords } from './passwords.js';
import { observeReplication } from './replication-metrics.js';
import { serveApiDocumentation } from './swagger.js';
import { transact } from './transact.js';
import { countTransactions, gaugeInDoubt } from './transaction-metrics.js';

/** A few hundred milliseconds of work. */
const MAX_WRITES_UNDER_WAY = 5_000;

/** The last step of a start: becomes the primary, recovers transactions, listens. Abandons the stores when it rejects. */
export function serve(stores: OpenedStores): Promise<RunningServer> {
  return served(stores).catch((error: unknown) => stores.abandon(error));
}

async function served(stores: OpenedStores): Promise<RunningServer> {
  const { config, logger, process, registrations, files, secret, origin, phases, ahead } = stores;
  const log = logPort(logger);
  let url = '';
  const replication = replicate(config.replication, secret, stores, {
    log,
    process,
    primaryUrl: () => config.replication.advertisedUrl ?? url,
    clusterId: origin.kind === 'new' ? origin.clusterId : undefined,
  });
  const observer = new HttpObserver(logger);
  const transactions = transact(config.transactions, stores, replication, {
    log,
    crashSites: stores.crashSites,
    ended: countTransactions(observer.registry),
  });
  const authorization = replicationAuthorization(secret);
  const redis = sharedRedis(config.redis, { log, registry: observer.registry });
  const guard = drainGuard(redis, stores.bookstore.database.databaseId);
  const checkouts = checkOut(config.checkouts, stores, { log, guard });
  gaugeSagas(observer.registry, checkouts.sagas);
  const passwords = await keepPasswords(config, log, observer.registry);
  const quotaKey = deriveKey(secret, 'quota');
  if (config.http.requestsPerMinute !== undefined) redis.use(QUOTA_USE);
  const server = createHttpServer({
    ...config.http,
    sharedQuota: new RedisQuota(redis, () => quotaKey),
    queryNames: Object.assign(
      { ...TRANSACTION_QUERIES },
      ...registrations.map(({ queryNames }) => queryNames),
    ) as QueryNames,
    provesCluster: (presented) => isAuthorized(presented, authorization),
    nowMs: monotonicMs,
    newRequestId: requestIds(systemRandom),
    logger,
  });
  observer.install(server);
  observeReplication(observer.registry, replication);
  const { coordinator, participants, table } = transactions;
  gaugeInDoubt(observer.registry, new TransactionReads(coordinator, participants, table));
  const cache = new AppCache(config.cache, stores.bookstore.database, { log, registry: observer.registry, redis });
  const endFence = useFence(server, stores.bookstore.database.reader, systemTimers);
  const gate = new ReadinessGate(server, () => replication.status.waiting);
  useWriteStop(server, () => files.refusalNow());
  await server.register((context, _options, done) => {
    answerProblems(context, logger);
    serveEcho(context, () => appEcho(stores.bookstore.database, gate));
    done();
  });
  const serveHotReads = await admitHotReads(server, logger);
  const documentApp = await serveApiDocumentation(server, logger);
  observer.gaugeWrites(useWriteAdmission(server, MAX_WRITES_UNDER_WAY));
  const openRequests = useOpenRequests(server, logger);
  useJsonBodies(server);
  const sqlOperations = stores.sqlFiles.map(({ operations }) => operations);
  const ledgers = [
    transactions.operations,
    checkouts.operations,
    ...sqlOperations.slice(1),
    new DocumentOperationLedger(
      stores.documents,
      new Map(
        registrations.flatMap((each) => (each.kind === 'documents' ? [[each.collection.name, each.answerOf]] : [])),
      ),
    ),
  ];
  const incarnation = incarnationOf({ pid, epoch: stores.bookstore.database.epoch });
  const idempotency = new IdempotencyGate({
    ledgers,
    hmacKey: deriveKey(secret, 'operation-body-hmac'),
    newOperationId: uuids({ clock: systemClock, random: systemRandom }),
    confirmer: replication,
    timers: systemTimers,
    clock: systemClock,
    answerDeadlineMs: config.transactions.answerDeadlineMs,
    keysPerCaller: config.http.idempotencyKeys,
    isKeyAdded: ({ headers }) => isAuthorized(headers[ADDED_KEY_HEADER]?.toString(), authorization),
    isMadeHere: ({ headers }) => headers[KEY_MADE_FOR_HEADER] === incarnation,
    monotonicMs,
  });
  await phases.during('keys', async () => {
    const { held, belowMs, checkoutsBelow } = ahead.keys ?? {};
    if (held !== undefined) await idempotency.add(held, nextTurn);
    await idempotency.count(stores.documents.heldKeys(), nextTurn);
    for (const { name, operations } of stores.sqlFiles)
      await idempotency.count(operations.heldKeys(belowMs?.get(name)), nextTurn);
    await idempotency.count(checkouts.operations.heldKeys(checkoutsBelow), nextTurn);
  });
  idempotency.install(server);

  const operations = new OperationService(ledgers, coordinator, table);
  const module = ApiModule.of(stores, {
    replication,
    transactions,
    checkouts,
    operations,
    observer,
    gate,
    files,
    cache,
    passwords,
  });
  const app = await phases.during('app', () => nestApp(server, module, logger));
  serveHotReads(app);
  documentApp(app);
  const open = async (): Promise<void> => {
    await phases.during('checkouts', () => checkouts.compare());
    await phases.during('replicas', () => replication.open());
    await phases.during('transactions', () => transactions.open());
    await endFirstStart(origin, stores.bookstore, stores.documents, {
      registrations,
      clock: systemClock,
      services: app,
      isSeeded: config.storage.seed === 'on',
    });
    await phases.during('batches', async () => {
      for (const store of registrations) if (store.kind === 'sql') await store.recover?.(app);
    });
    await phases.during('checkouts', () => checkouts.open());
    // The replicas have answered; in a moment they are in sync, and until then each write would be refused.
    await phases.during('in-sync', () => replication.whenAdmitting());
    gate.open();
    cache.share();
    stores.sqlFiles.forEach(({ check }) => {
      check.begin();
    });
  };
  const isAlone = config.replication.nodes.length === 0;
  if (isAlone) await open();
  const { host, port } = config.http;
  await phases.during('port', () =>
    listenOn(port, () => app.listen({ host, port, backlog: LISTEN_BACKLOG }), 'set PORT to a free one'),
  );
  url = await app.getUrl();
  return {
    url,
    opened: isAlone ? Promise.resolve() : open().catch((error: unknown) => stores.abandon(error)),
    close: async () => {
      await closeServing(server, {
        close: () => app.close(),
        answerOpen: () => {
          openRequests.answerAll(answerAtStop(operations));
        },
      });
      endFence();
      cache.close();
      redis.close();
      await passwords.close();
      await checkouts.close();
      await transactions.close();
      replication.close();
      await stores.close();
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
