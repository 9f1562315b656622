import { join } from 'node:path';
import { loadReplicaConfig, namedDirectories } from '../../config/index.js';
import { logOptions, runServer } from '../../platform/nodes/index.js';
import { commandLine } from '../../platform/process/index.js';
import { startReplica } from './replica.js';

const RUN_FILE = 'replica.json';

const { port } = commandLine('npm run start:replica', 'Runs one replica.')
  .usage('-- --port 5071')
  .option('--port <port>', 'port of the replica (default: PORT); its data is in REPLICAS_DIR/<port>')
  .exitOverride((error) => process.exit(error.exitCode))
  .parse()
  .opts<{ readonly port?: string }>();

runServer(() => {
  const config = loadReplicaConfig(port);
  const { directory } = config;
  return {
    log: logOptions(process.env, {
      level: config.log.logLevel,
      apiKeys: config.http.apiKeys,
      clusterSecret: config.clusterSecret,
    }),
    directory,
    // The last one, the replicas' directory, contains the replica's own.
    namedDirectories: namedDirectories().slice(-1),
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, processControl) => startReplica(config, logger, processControl),
  };
});
