import type { ReplicaConfig } from '../../config/index.js';
import type { CrashSites } from '../../kernel/index.js';
import { crashSitesAmong } from '../../platform/crash-sites/index.js';
import { FOLLOWER_CRASH_SITES, SNAPSHOT_CRASH_SITES } from '../../platform/documents/index.js';
import { JOURNAL_CRASH_SITES } from '../../platform/journal/index.js';
import { SECRET_CRASH_SITES } from '../../platform/secrets/index.js';

export const CRASH_SITES: readonly string[] = [
  ...SECRET_CRASH_SITES,
  ...JOURNAL_CRASH_SITES,
  ...SNAPSHOT_CRASH_SITES,
  ...FOLLOWER_CRASH_SITES,
];

export function crashSitesOf({ crashSite }: ReplicaConfig['faults']): CrashSites {
  return crashSitesAmong(CRASH_SITES, crashSite);
}
