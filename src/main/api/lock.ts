import type { Logger } from 'pino';
import type { AppConfig } from '../../config/index.js';
import type { CrashSites, ProcessControl } from '../../kernel/index.js';
import type { StoreRegistration } from '../../modules/store-registration/index.js';
import { STORES } from '../../modules/stores/index.js';
import { crashSitesAmong } from '../../platform/crash-sites/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import { DataDirectoryLock, systemTimers } from '../../platform/process/index.js';
import { crashSitesWith } from './crash-sites.js';

const LOOK_FOR_DIRECTORY_EVERY_MS = 500;

export interface Start {
  readonly config: AppConfig;
  readonly logger: Logger;
  readonly process: ProcessControl;
  readonly registrations?: readonly StoreRegistration[];
}

/** The process holds the data directory, but has opened no store and does not listen. */
export interface LockedDirectory extends Required<Start> {
  readonly crashSites: CrashSites;
  /** Releases the directory: instead of the next step, or after everything is closed. */
  release(): void;
}

/** Rejects with `data-directory-locked` while another process holds the directory. */
export async function lockDirectory(start: Start): Promise<LockedDirectory> {
  const { dataDirectory } = start.config.storage;
  await new NodeDisk().ensureDirectory(dataDirectory);
  return withLock(start, DataDirectoryLock.acquire(dataDirectory));
}

/** Keeps `lock`, and stops the process when the directory is removed or replaced. */
export function withLock(start: Start, lock: DataDirectoryLock): LockedDirectory {
  const { config, process, registrations = STORES } = start;
  const crashSites = crashSitesAmong(crashSitesWith(registrations), config.faults.crashSite);
  lock.watch(systemTimers, LOOK_FOR_DIRECTORY_EVERY_MS, () => {
    process.stop(`${lock.path} was removed or replaced while it was in use, alone or with its directory`, undefined);
  });
  return {
    ...start,
    ...{ registrations, crashSites },
    release: () => {
      lock.release();
    },
  };
}
