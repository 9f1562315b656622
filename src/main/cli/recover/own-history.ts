import { join } from 'node:path';
import { type Clock, isAppError, type ProcessControl, type Random, type ChainPosition } from '../../../kernel/index.js';
import { COLLECTIONS } from '../../../modules/stores/index.js';
import { DocumentStore } from '../../../platform/documents/index.js';
import { systemTimers } from '../../../platform/process/index.js';
import type { CopyPorts } from './copy-history.js';
import { lookingAt } from '../looking-disk.js';

export interface OwnHistoryPorts extends CopyPorts {
  readonly clock: Clock;
  readonly random: Random;
}

/** A failing disk shows as an error here, and there is no server to stop. */
const NOTHING_TO_STOP: ProcessControl = { stop: () => undefined };

/**
 * Returns the history that the next start would recover from the data directory; undefined when it is empty or unreadable.
 * Read-only. The caller holds the directory's lock.
 */
export async function ownHistory(
  ports: OwnHistoryPorts,
  dataDirectory: string,
): Promise<{ readonly clusterId: string; readonly position: ChainPosition } | undefined> {
  const directory = join(dataDirectory, 'documents');
  if ((await ports.disk.list(directory)).length === 0) return undefined;
  try {
    const store = await DocumentStore.open(
      { ...ports, disk: lookingAt(ports.disk), timers: systemTimers, process: NOTHING_TO_STOP },
      {
        ...{ directory, collections: COLLECTIONS, snapshotEveryBytes: Number.MAX_SAFE_INTEGER, journalReserveBytes: 0 },
        whenEndIsMissing: 'report',
      },
    );
    const { clusterId, position } = store.history;
    await store.close();
    return clusterId === undefined ? undefined : { clusterId, position };
  } catch (error) {
    if (isAppError(error, 'data-corrupt')) return undefined;
    throw error;
  }
}
