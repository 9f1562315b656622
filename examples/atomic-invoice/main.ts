import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../src/kernel/index.js';
import { crashSitesAmong } from '../../src/platform/crash-sites/index.js';
import { runServer } from '../../src/platform/nodes/index.js';
import { commandLine } from '../../src/platform/process/index.js';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { start } from './start.js';

commandLine(
  'npm run example',
  'Runs the small app of examples/atomic-invoice, on PORT (3100), with its data in DATA_DIR.',
)
  .usage('')
  .parse();
const { DATA_DIR: directory = '.example-data', PORT = '3100', FAULTS, CRASH_SITE = '' } = process.env;

runServer(() => {
  mkdirSync(directory, { recursive: true });
  const crashSites = crashSitesAmong(TWO_PHASE_CRASH_SITES, chosenSite());
  return {
    log: { level: 'info' },
    directory,
    runFile: join(directory, 'app.json'),
    start: (logger) => start({ directory, port: Number(PORT), crashSites }, logger),
  };
});

/** `2pc.decide.after`, or `2pc.decide.after#3` for the third time. One that would never strike is refused. */
function chosenSite(): { readonly name: string; readonly occurrence: number } | undefined {
  if (CRASH_SITE === '') return undefined;
  const [name = '', occurrence = '1'] = CRASH_SITE.split('#');
  if (FAULTS !== '1') throw misconfigured('CRASH_SITE needs FAULTS=1');
  if (!/^[1-9]\d*$/.test(occurrence))
    throw misconfigured(`CRASH_SITE must end with #n, n from 1, but is ${CRASH_SITE}`);
  return { name, occurrence: Number(occurrence) };
}

function misconfigured(message: string): AppError {
  return new AppError('misconfigured', message, { retry: 'never' });
}
