import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { ReplicaConfig } from '../../config/index.js';
import { basename, join } from 'node:path';
import {
  AppError,
  CLIENT_KEY_RETENTION_MS,
  type FieldError,
  isAppError,
  logPositionText,
  type ProcessControl,
} from '../../kernel/index.js';
import { COLLECTIONS } from '../../modules/stores/index.js';
import { GroupStore, serveGroups } from '../../modules/groups/index.js';
import {
  answerProblems,
  closeServing,
  countHeldKeys,
  createHttpServer,
  LISTEN_BACKLOG,
  listenOn,
  KeyQuota,
  notServed,
  type OpenRequests,
  requestIds,
  sendProblem,
  serveDocumentation,
  useJsonBodies,
  useOpenRequests,
  useWriteAdmission,
  useWriteStop,
} from '../../platform/http/index.js';
import { DataFiles, WatchedDisk } from '../../platform/data-files/index.js';
import { CountingDisk } from '../../platform/disk/index.js';
import { witnessPath } from '../../platform/journal/index.js';
import { NodeClient } from '../../platform/node-client/index.js';
import type { RunningServer } from '../../platform/nodes/index.js';
import { HttpObserver, logPort } from '../../platform/observability/index.js';
import {
  DataDirectoryLock,
  monotonicMs,
  nextTurn,
  systemClock,
  systemRandom,
  systemTimers,
  uuids,
} from '../../platform/process/index.js';
import { secretFileIn, whenSecretKnown } from '../../platform/secrets/index.js';
import {
  isAuthorized,
  PrimaryPresence,
  openReplicaDocuments,
  type ReplicaDocuments,
  ReplicaShell,
  replicationAuthorization,
  serveForwardedWrites,
  serveReplication,
} from '../../protocols/replication/index.js';
import { serveAbout } from './about-routes.js';
import { crashSitesOf } from './crash-sites.js';
import { serveCustomerReads } from './customer-reads.js';
import { replicaDocument } from './openapi.js';
import { type ReplicaMeasures, serveMetrics } from './metrics.js';
import { QUERY_NAMES } from './query-names.js';

const MAX_WRITES_UNDER_WAY = 5_000;
const AS_NODE = { hasMessage: true };
const GROUPS = 'groups';
const LOOK_FOR_DIRECTORY_EVERY_MS = 500;
const LOOK_AT_FILES_EVERY_MS = 250;

/** Takes the directory, recovers what it holds, and listens. Rejects with one AppError when it cannot. */
export async function startReplica(
  config: ReplicaConfig,
  logger: Logger,
  processControl: ProcessControl,
): Promise<RunningServer> {
  const crashSites = crashSitesOf(config.faults);
  const log = logPort(logger);
  const disk = new CountingDisk();
  await disk.ensureDirectory(config.directory);
  const lock = acquireLock(config.directory);
  lock.watch(systemTimers, LOOK_FOR_DIRECTORY_EVERY_MS, () => {
    processControl.stop(
      `${lock.path} was removed or replaced while it was in use, alone or with its directory`,
      undefined,
    );
  });
  let secret: () => string | undefined = () => undefined;
  const server = createHttpServer({
    ...config.http,
    queryNames: QUERY_NAMES,
    provesCluster: (presented) => {
      const authorization = secret();
      return authorization !== undefined && isAuthorized(presented, authorization);
    },
    nowMs: monotonicMs,
    newRequestId: requestIds(systemRandom),
    logger,
    problemShape: AS_NODE,
  });
  // The stores recover concurrently: one waits for the disk while the other computes.
  const groupsDirectory = join(config.directory, GROUPS);
  const files = new DataFiles(log);
  const watched = new WatchedDisk(disk, files);
  const own = { disk: watched, crashSites, log, process: processControl };
  const [documents, groups] = await Promise.all([
    openReplicaDocuments(own, { ...config, collections: COLLECTIONS }).catch((error: unknown) => {
      const others = `what is in ${config.directory} away, except ${GROUPS}/ and ${basename(witnessPath(groupsDirectory))}`;
      throw namingWayOut(error, `move ${others}, and the replica copies its documents from the app again`);
    }),
    GroupStore.open(
      { ...own, clock: systemClock, monotonicMs, timers: systemTimers, nextTurn },
      { ...config, directory: groupsDirectory },
    ).catch((error: unknown) => {
      const both = `${groupsDirectory} and ${witnessPath(groupsDirectory)}`;
      throw namingWayOut(error, `move ${both} away, and this node starts without groups`);
    }),
  ]);

  const quota = new KeyQuota(config.http.idempotencyKeys, CLIENT_KEY_RETENTION_MS);
  const undoQuota = new KeyQuota(config.http.idempotencyKeys, CLIENT_KEY_RETENTION_MS);
  await countHeldKeys(groups.heldKeys('operations'), () => quota, nextTurn);
  await countHeldKeys(groups.heldKeys('early undos'), () => undoQuota, nextTurn);
  const presence = new PrimaryPresence({ timers: systemTimers, log, nowMs: monotonicMs }, config.deadAfterMs);
  const shell = new ReplicaShell({ store: documents, timers: systemTimers, log }, (primary) => {
    presence.heard(primary);
  });
  const client = new NodeClient();
  secret = rememberSecret(
    whenSecretKnown({ disk, random: systemRandom, crashSites, timers: systemTimers, log }, config),
    processControl,
    () => {
      files.keep(secretFileIn(config.directory));
    },
  );
  const endWatch = files.watch(systemTimers, LOOK_AT_FILES_EVERY_MS);
  useWriteStop(server, () => files.refusalNow());
  await serveReplication(server, { shell, history: documents, authorization: secret, logger });
  // A separate context: thousands of internal messages per second bypass admission and request logging.
  let openRequests: OpenRequests | undefined;
  await server.register(async (clients) => {
    const observer = new HttpObserver(logger);
    observer.install(clients);
    observer.gaugeWrites(useWriteAdmission(clients, MAX_WRITES_UNDER_WAY));
    useJsonBodies(clients);
    openRequests = useOpenRequests(clients, logger, AS_NODE);
    answerProblems(clients, logger, AS_NODE);
    clients.setNotFoundHandler((request, reply) =>
      sendProblem(reply, request, notServed(request, reply), logger, AS_NODE),
    );
    serveCustomerReads(clients, { documents, shell, readWaitMs: config.readWaitMs });
    serveForwardedWrites(clients, {
      paths: ['/customers'],
      shell,
      client,
      appUrls: config.appAddresses.map((address) => `http://${address}`),
      newKey: uuids({ clock: systemClock, random: systemRandom }),
      authorization: secret,
      writeDeadlineMs: config.writeDeadlineMs,
      nowMs: monotonicMs,
    });
    const newId = uuids({ clock: systemClock, random: systemRandom });
    const nodeId = (): string => `${config.http.host}:${String(portOf(server))}`;
    serveGroups(clients, { store: groups, nodeId, newId, quota, undoQuota, clock: systemClock, log });
    serveAbout(clients, {
      node: () => ({ nodeId: nodeId(), port: portOf(server) }),
      position: () => logPositionText(documents.position),
      groups: () => groups.all().length,
      missing: () => [...missingParts(presence, secret()), ...lostFiles(files)],
    });
    serveMetrics(clients, observer, () => ({
      ...measures(shell, documents, disk),
      groups: groups.all().length,
    }));
    await serveDocumentation(clients, { title: 'Bifolio replica API', document: replicaDocument });
  });
  const { host, port } = config.http;
  const url = await listenOn(
    port,
    () => server.listen({ host, port, backlog: LISTEN_BACKLOG }),
    'start this replica with another --port',
  );
  presence.begin();
  return {
    url,
    close: async () => {
      await closeServing(server, {
        close: () => server.close(),
        answerOpen: () => openRequests?.answerAll(),
      });
      client.close();
      await shell.idle();
      endWatch();
      await Promise.all([documents.close(), groups.close()]);
      lock.release();
    },
  };
}

function namingWayOut(error: unknown, wayOut: string): unknown {
  if (!isAppError(error, 'data-corrupt')) return error;
  return new AppError('data-corrupt', `${error.message}; ${wayOut}`, { retry: 'never', cause: error });
}

function acquireLock(directory: string): DataDirectoryLock {
  try {
    return DataDirectoryLock.acquire(directory);
  } catch (cause) {
    if (!isAppError(cause, 'data-directory-locked')) throw cause;
    const message = `${cause.message}: this replica is already running. Stop that process, or start this one with another --port`;
    throw new AppError('data-directory-locked', message, { retry: 'safe', cause });
  }
}

/** The authorization that internal callers must present; undefined until the secret is known. */
function rememberSecret(
  known: Promise<string>,
  processControl: ProcessControl,
  kept: () => void,
): () => string | undefined {
  let authorization: string | undefined;
  known.then(
    (secret) => {
      authorization = replicationAuthorization(secret);
      kept();
    },
    (error: unknown) => {
      processControl.stop('no cluster secret', error);
    },
  );
  return () => authorization;
}

function missingParts(presence: PrimaryPresence, authorization: string | undefined): readonly FieldError[] {
  if (authorization === undefined) return [{ field: 'secret', message: 'is missing: waiting for the cluster secret' }];
  return presence.isThere ? [] : [{ field: 'primary', message: 'is silent: waiting for the app' }];
}

function lostFiles(files: DataFiles): readonly FieldError[] {
  files.look();
  return files.problem === undefined ? [] : [{ field: 'files', message: `are damaged: ${files.problem}` }];
}

function measures(
  shell: ReplicaShell,
  documents: ReplicaDocuments,
  disk: CountingDisk,
): Omit<ReplicaMeasures, 'groups'> {
  const { epoch, seq } = documents.position;
  return { ...shell.counts, epoch, seq, synchronized: disk.synchronized };
}

function portOf({ server }: FastifyInstance): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
