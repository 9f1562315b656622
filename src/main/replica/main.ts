import { join } from 'node:path';
import { loadReplicaConfig } from '../../config/index.js';
import { runServer } from '../../platform/nodes/index.js';
import { startReplica } from './replica.js';

const RUN_FILE = 'replica.json';

runServer(() => {
  const config = loadReplicaConfig();
  const { directory } = config;
  return {
    logLevel: config.log.level,
    directory,
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, processControl) => startReplica(config, logger, processControl),
  };
});
