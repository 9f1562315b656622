import { AppError } from '../kernel/index.js';
import {
  deepFreeze,
  type Environment,
  httpConfigOf,
  loadCheckedEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { redisConfigOf } from './redis-settings.js';
import { nameOfNode } from './replication-settings.js';
import { answerWithinMs, commonSchema } from './settings.js';

/** Paths are absolute. */
export type ReaderConfig = ReturnType<typeof parseReaderConfig>;

/**
 * Works as `loadConfig` does. The port is `given`, or else PORT of the environment, but never PORT of `.env`, which is the app's.
 * Throws `misconfigured`, naming every invalid setting or the missing port.
 */
export function loadReaderConfig(given: string | undefined): ReaderConfig {
  const { PORT } = process.env;
  loadCheckedEnvironmentFile();
  return parseReaderConfig(given, { ...process.env, PORT });
}

export function parseReaderConfig(given: string | undefined, environment: Environment) {
  const PORT = given ?? environment['PORT'];
  if (PORT === undefined || PORT === '') {
    const message = 'PORT must be given to a reader: npm run start:app -- --reader --port 5051';
    throw new AppError('misconfigured', message, { retry: 'never' });
  }
  const settings = parseSettings(commonSchema, { ...environment, PORT });
  const { storage, replication, cluster, cache, checkouts, log, redis } = settings;
  return deepFreeze({
    ...{ log, http: httpConfigOf(settings), cache: { maxBytes: cache.cache === 'on' ? cache.cacheBytes : undefined } },
    redis: redisConfigOf(redis, storage.dataDirectory),
    dataDirectory: storage.dataDirectory,
    clusterSecret: storage.clusterSecret,
    writeDeadlineMs: replication.writeDeadlineMs,
    longDeadlineMs: answerWithinMs(checkouts),
    /** Each is `host:port`. Empty: the app's run file in the data directory says where it is. */
    appAddresses: cluster.appAddresses.map(nameOfNode),
  });
}
