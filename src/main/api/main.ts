import 'reflect-metadata';
import { join } from 'node:path';
import { loadConfig, namedDirectories } from '../../config/index.js';
import { appArguments, LOG_FILE_VARIABLE, runServer } from '../../platform/nodes/index.js';
import { startApp } from './app.js';

const RUN_FILE = 'app.json';

const { port } = appArguments();

runServer(() => {
  const config = loadConfig(port);
  const directory = config.storage.dataDirectory;
  return {
    log: {
      level: config.log.logLevel,
      file: process.env[LOG_FILE_VARIABLE],
      secrets: [...config.http.apiKeys.map(({ key }) => key), config.storage.clusterSecret ?? ''].filter(
        (secret) => secret !== '',
      ),
    },
    directory,
    namedDirectories: namedDirectories(),
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, process) => startApp({ config, logger, process }),
  };
});
