import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crashSitesAmong } from '../../src/platform/crash-sites/index.js';
import { runServer } from '../../src/platform/nodes/index.js';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { start } from './start.js';

const { DATA_DIR: directory = '.example-data', PORT = '3100', FAULTS, CRASH_SITE } = process.env;

runServer(() => {
  mkdirSync(directory, { recursive: true });
  const [name = '', occurrence = '1'] = FAULTS === '1' ? (CRASH_SITE ?? '').split('#') : [];
  const chosen = name === '' ? undefined : { name, occurrence: Number(occurrence) };
  const crashSites = crashSitesAmong(TWO_PHASE_CRASH_SITES, chosen);
  return {
    logLevel: 'info',
    directory,
    runFile: join(directory, 'app.json'),
    start: (logger) => start({ directory, port: Number(PORT), crashSites }, logger),
  };
});
