import 'reflect-metadata';
import { join } from 'node:path';
import { loadConfig, namedDirectories } from '../../config/index.js';
import { appArguments, logOptions, runServer } from '../../platform/nodes/index.js';
import { startApp } from './app.js';
import { standBy } from './standby.js';

const RUN_FILE = 'app.json';
const STANDBY_RUN_FILE = 'standby.json';

const { port, standby: isStandby = false } = appArguments();

runServer(() => {
  const config = loadConfig(port);
  const directory = config.storage.dataDirectory;
  return {
    log: logOptions(process.env, {
      level: config.log.logLevel,
      apiKeys: config.http.apiKeys,
      clusterSecret: config.storage.clusterSecret,
    }),
    directory,
    namedDirectories: namedDirectories(),
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, process, stage) =>
      isStandby
        ? standBy({ config, logger, process }, stage, join(directory, STANDBY_RUN_FILE))
        : startApp({ config, logger, process }),
  };
});
