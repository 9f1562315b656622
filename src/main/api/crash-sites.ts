import type { AppConfig } from '../../config/index.js';
import { AppError, type CrashSites } from '../../kernel/index.js';
import { KillingCrashSites, NO_CRASH_SITES } from '../../platform/crash-sites/index.js';
import { SNAPSHOT_CRASH_SITES } from '../../platform/documents/index.js';
import { JOURNAL_CRASH_SITES } from '../../platform/journal/index.js';
import { SQL_CRASH_SITES } from '../../platform/sql/index.js';
import { SECRET_CRASH_SITES } from './cluster-secret.js';

/** Every place where a fault test may kill this process. */
export const CRASH_SITES: readonly string[] = [
  ...SECRET_CRASH_SITES,
  ...SQL_CRASH_SITES,
  ...JOURNAL_CRASH_SITES,
  ...SNAPSHOT_CRASH_SITES,
];

/** Throws `misconfigured` for a site that does not exist: a fault test that never strikes proves nothing. */
export function crashSitesOf({ crashSite }: AppConfig['faults']): CrashSites {
  if (crashSite === undefined) return NO_CRASH_SITES;
  const { name, occurrence } = crashSite;
  if (!CRASH_SITES.includes(name)) {
    const message = `must be one of ${CRASH_SITES.join(', ')}; it was given ${name}`;
    throw new AppError('misconfigured', `CRASH_SITE ${message}`, {
      retry: 'never',
      fields: [{ field: 'CRASH_SITE', message }],
    });
  }
  return new KillingCrashSites(name, occurrence);
}
