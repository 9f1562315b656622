import { loadReaderConfig, namedDirectories } from '../../config/index.js';
import { appArguments, LOG_FILE_VARIABLE, runServer } from '../../platform/nodes/index.js';
import { startReader } from './reader.js';

const { port } = appArguments();

runServer(() => {
  const config = loadReaderConfig(port);
  return {
    log: {
      level: config.log.logLevel,
      file: process.env[LOG_FILE_VARIABLE],
      secrets: [...config.http.apiKeys.map(({ key }) => key), config.clusterSecret ?? ''].filter(
        (secret) => secret !== '',
      ),
    },
    directory: config.dataDirectory,
    namedDirectories: namedDirectories().slice(0, 1),
    start: (logger, processControl) => startReader(config, logger, processControl),
  };
});
