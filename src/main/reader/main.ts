import { loadReaderConfig, namedDirectories } from '../../config/index.js';
import { appArguments, logOptions, readerRunFile, runServer } from '../../platform/nodes/index.js';
import { startReader } from './reader.js';

const { port } = appArguments();

runServer(() => {
  const config = loadReaderConfig(port);
  return {
    log: logOptions(process.env, {
      level: config.log.logLevel,
      apiKeys: config.http.apiKeys,
      clusterSecret: config.clusterSecret,
    }),
    directory: config.dataDirectory,
    namedDirectories: namedDirectories().slice(0, 1),
    runFile: readerRunFile(config.dataDirectory, config.http.port),
    start: (logger, processControl) => startReader(config, logger, processControl),
  };
});
