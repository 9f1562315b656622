import { join } from 'node:path';
import { loadReplicaConfig, namedDirectories } from '../../config/index.js';
import { runServer } from '../../platform/nodes/index.js';
import { startReplica } from './replica.js';

const RUN_FILE = 'replica.json';

runServer(() => {
  const config = loadReplicaConfig();
  const { directory } = config;
  return {
    logLevel: config.log.level,
    directory,
    // Its own is below that of all replicas, the last one.
    namedDirectories: namedDirectories().slice(-1),
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, processControl) => startReplica(config, logger, processControl),
  };
});
