import { join } from 'node:path';
import { loadReplicaConfig, namedDirectories } from '../../config/index.js';
import { LOG_FILE_VARIABLE, runServer } from '../../platform/nodes/index.js';
import { startReplica } from './replica.js';

const RUN_FILE = 'replica.json';

runServer(() => {
  const config = loadReplicaConfig();
  const { directory } = config;
  return {
    log: {
      level: config.log.logLevel,
      file: process.env[LOG_FILE_VARIABLE],
      secrets: [...config.http.apiKeys.map(({ key }) => key), config.clusterSecret ?? ''].filter(
        (secret) => secret !== '',
      ),
    },
    directory,
    // Its own is below that of all replicas, the last one.
    namedDirectories: namedDirectories().slice(-1),
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, processControl) => startReplica(config, logger, processControl),
  };
});
