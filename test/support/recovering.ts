import { join } from 'node:path';
import type { Disk } from '../../src/kernel/index.js';
import { recover, type Recovery, type RecoveryOptions } from '../../src/main/cli/recover/recover.js';
import { COLLECTIONS } from '../../src/modules/stores/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { NodeDisk } from '../../src/platform/disk/index.js';
import { DocumentStore } from '../../src/platform/documents/index.js';
import { nextTurn, systemTimers } from '../../src/platform/process/index.js';
import type { ReplicaLink } from '../../src/protocols/replication/index.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';

export function runRecovery(links: readonly ReplicaLink[], options: RecoveryOptions, disk: Disk): Promise<Recovery> {
  return recover(
    {
      ...{ disk, links, nextTurn, crashSites: NO_CRASH_SITES, log: new RecordingLog() },
      ...{ clock: new SimulatedClock(), random: new SeededRandom(1) },
      ...{ isStarting: () => false, pause: () => Promise.reject(new Error('nothing is starting')) },
    },
    options,
  );
}

/** As the app opens it. */
export function openRecovered(dataDirectory: string): Promise<DocumentStore> {
  return DocumentStore.open(
    {
      ...{ disk: new NodeDisk(), nextTurn, timers: systemTimers, crashSites: NO_CRASH_SITES, log: new RecordingLog() },
      ...{ clock: new SimulatedClock(), random: new SeededRandom(1), process: new RecordingProcessControl() },
    },
    {
      directory: join(dataDirectory, 'documents'),
      ...{ collections: COLLECTIONS, snapshotEveryBytes: 1e9, journalReserveBytes: 0 },
    },
  );
}
