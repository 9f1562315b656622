import { BookEntity, BOOKS_STORE } from '../../src/modules/books/index.js';
import { STOCK_STORE } from '../../src/modules/stock/index.js';
import { monotonicMs, systemClock, systemTimers } from '../../src/platform/process/index.js';
import { DataFiles } from '../../src/platform/data-files/index.js';
import { NodeDisk } from '../../src/platform/disk/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import {
  PLATFORM_MIGRATIONS,
  SqlDatabase,
  type SqlDatabaseOptions,
  type SqlDatabasePorts,
  type WriteGuard,
} from '../../src/platform/sql/index.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SeededRandom } from './seeded-random.js';

export { BookEntity, BOOKS_STORE };

/** Nothing is wrong with the file. */
export const SOUND: WriteGuard = { refusal: undefined, lost: () => undefined };

/** All that the tables of books and their stock need. */
export const BOOKS_MIGRATIONS = [...PLATFORM_MIGRATIONS, ...STOCK_STORE.migrations, ...BOOKS_STORE.migrations];

/** One for all of a test: no two incarnations have the same name. */
const RANDOM = new SeededRandom(1);

/** The app's own SQL database on a real file, with ports that a test may replace. */
export function openBooksDatabase(file: string, ports: Partial<SqlDatabasePorts> = {}): Promise<SqlDatabase> {
  return openDatabase({ file, entities: BOOKS_STORE.entities, migrations: BOOKS_MIGRATIONS }, ports);
}

/** An SQL database on a real file, with ports that a test may replace. */
export function openDatabase(options: SqlDatabaseOptions, ports: Partial<SqlDatabasePorts> = {}): Promise<SqlDatabase> {
  const defaults = {
    nextTurn: setImmediate,
    timers: systemTimers,
    crashSites: NO_CRASH_SITES,
    process: new RecordingProcessControl(),
    random: RANDOM,
    clock: systemClock,
    disk: new NodeDisk(),
    log: new RecordingLog(),
    files: new DataFiles(new RecordingLog()),
    monotonicMs,
  };
  return SqlDatabase.open({ ...defaults, ...ports }, options);
}
