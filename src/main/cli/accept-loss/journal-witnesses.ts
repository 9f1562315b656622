import { join } from 'node:path';
import type { Disk } from '../../../kernel/index.js';
import { COLLECTIONS } from '../../../modules/stores/index.js';
import { GroupStore } from '../../../modules/groups/index.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { DocumentStore } from '../../../platform/documents/index.js';
import type { JournalPorts, MissingEnd } from '../../../platform/journal/index.js';
import { nextTurn, systemClock, systemRandom, systemTimers } from '../../../platform/process/index.js';
import { lookingAt } from '../looking-disk.js';
import type { LossWitness } from './accept-loss.js';

interface JournaledStore {
  readonly missing: MissingEnd | undefined;
  settleEnd(): Promise<void>;
  close(): Promise<void>;
}

const OPTIONS = {
  ...{ snapshotEveryBytes: Number.MAX_SAFE_INTEGER, journalReserveBytes: 0 },
  whenEndIsMissing: 'report',
} as const;

export function documentsWitness(disk: Disk, directory: string): LossWitness {
  const options = { ...OPTIONS, directory: join(directory, 'documents'), collections: COLLECTIONS };
  return journalWitness(disk, (ports) => DocumentStore.open({ ...ports, random: systemRandom }, options));
}

/** The groups of a node. Its documents need no witness, because they are copied again from the app. */
export function groupsWitness(disk: Disk, directory: string): LossWitness {
  const options = { ...OPTIONS, directory: join(directory, 'groups') };
  return journalWitness(disk, (ports) => GroupStore.open(ports, options));
}

function journalWitness(disk: Disk, open: (ports: JournalPorts) => Promise<JournaledStore>): LossWitness {
  const opened = async <T>(on: Disk, work: (store: JournaledStore) => Promise<T>): Promise<T> => {
    const store = await open({
      ...{ disk: on, clock: systemClock, timers: systemTimers, nextTurn, crashSites: NO_CRASH_SITES },
      // The result says what matters, and a failing disk shows as an error.
      ...{ log: { info: () => undefined, warn: () => undefined }, process: { stop: () => undefined } },
    });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  return {
    find: () => opened(lookingAt(disk), (store) => Promise.resolve(store.missing?.description)),
    accept: () => opened(disk, (store) => store.settleEnd()),
  };
}
