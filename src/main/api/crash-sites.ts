import type { AppConfig } from '../../config/index.js';
import type { CrashSites } from '../../kernel/index.js';
import { crashSitesAmong } from '../../platform/crash-sites/index.js';
import { SNAPSHOT_CRASH_SITES } from '../../platform/documents/index.js';
import { JOURNAL_CRASH_SITES } from '../../platform/journal/index.js';
import { SECRET_CRASH_SITES } from '../../platform/secrets/index.js';
import { SQL_CRASH_SITES } from '../../platform/sql/index.js';
import { TWO_PHASE_CRASH_SITES } from '../../protocols/two-phase-commit/index.js';

/** Every place where a fault test may kill this process. */
export const CRASH_SITES: readonly string[] = [
  ...SECRET_CRASH_SITES,
  ...SQL_CRASH_SITES,
  ...JOURNAL_CRASH_SITES,
  ...SNAPSHOT_CRASH_SITES,
  ...TWO_PHASE_CRASH_SITES,
];

export function crashSitesOf({ crashSite }: AppConfig['faults']): CrashSites {
  return crashSitesAmong(CRASH_SITES, crashSite);
}
