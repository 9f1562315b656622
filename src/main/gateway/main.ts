import { loadGatewayConfig, namedDirectories } from '../../config/index.js';
import { commandLine } from '../../platform/process/index.js';
import { fileLayoutOf, logOptions, runServer } from '../../platform/nodes/index.js';
import { startGateway } from './gateway.js';

const { port } = commandLine(
  'npm run start:gateway',
  'Runs the gateway, one address for clients that masks a failover.',
)
  .usage('[-- --port 8080]')
  .option('--port <port>', 'port to listen on; else GATEWAY_PORT')
  .parse()
  .opts<{ readonly port?: string }>();

runServer(() => {
  const config = loadGatewayConfig(port);
  const { dataDirectory } = config;
  return {
    log: logOptions(process.env, {
      level: config.log.logLevel,
      apiKeys: config.http.apiKeys,
      clusterSecret: config.clusterSecret,
    }),
    directory: dataDirectory,
    namedDirectories: namedDirectories().slice(0, 1),
    runFile: fileLayoutOf({ dataDirectory, replicasDirectory: '' }).gateway.runFile.path,
    settings: config.inForce,
    start: (logger) => startGateway(config, logger),
  };
});
