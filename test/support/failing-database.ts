import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { systemTimers } from '../../src/platform/process/index.js';
import type { SqlDatabase } from '../../src/platform/sql/index.js';
import { SqlWriteExecutor } from '../../src/platform/sql/write-executor.js';
import { SOUND } from './books-database.js';
import { failing } from './failing.js';
import { RecordingProcessControl } from './recording-process-control.js';

/** The same database by another write executor, of which chosen statements fail: `onRun` as of `failing`. */
export function failingDatabase(database: SqlDatabase) {
  const { databaseId, epoch, incarnation, reader, damaged } = database;
  const writeHandle = failing(database.writeHandle);
  const process = new RecordingProcessControl();
  const ports = { nextTurn: setImmediate, timers: systemTimers, crashSites: NO_CRASH_SITES, process, guard: SOUND };
  const writer = new SqlWriteExecutor(ports, writeHandle, epoch, () => {
    reader.noticeCommit();
  });
  const knowsIncarnation = (begun: number): boolean => database.knowsIncarnation(begun);
  return { databaseId, epoch, incarnation, knowsIncarnation, reader, damaged, writeHandle, writer, process };
}
