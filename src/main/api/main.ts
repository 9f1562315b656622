import 'reflect-metadata';
import { join } from 'node:path';
import { loadConfig, namedDirectories } from '../../config/index.js';
import { runServer } from '../../platform/nodes/index.js';
import { startApp } from './app.js';

const RUN_FILE = 'app.json';

runServer(() => {
  const config = loadConfig();
  const directory = config.storage.dataDirectory;
  return {
    logLevel: config.log.level,
    directory,
    namedDirectories: namedDirectories(),
    runFile: join(directory, RUN_FILE),
    settings: config.inForce,
    start: (logger, processControl) => startApp(config, logger, processControl),
  };
});
