import { AppError, type CrashSites } from '../../kernel/index.js';

/** Production uses these: no site does anything. */
export const NO_CRASH_SITES: CrashSites = { reach: () => undefined };

/**
 * Kills its own process with SIGKILL at the `occurrence`-th visit (from 1) to `site`: no handler runs and no buffer is flushed,
 * as when power is lost to this process alone. Only for fault tests (`FAULTS=1`).
 */
export class KillingCrashSites implements CrashSites {
  private seen = 0;

  constructor(
    private readonly site: string,
    private readonly occurrence: number,
  ) {}

  reach(site: string): void {
    if (site !== this.site) return;
    this.seen += 1;
    if (this.seen === this.occurrence) process.kill(process.pid, 'SIGKILL');
  }
}

/** Throws `misconfigured` for a site that is not among `sites`: a fault test that never strikes proves nothing. */
export function crashSitesAmong(
  sites: readonly string[],
  chosen: { readonly name: string; readonly occurrence: number } | undefined,
): CrashSites {
  if (chosen === undefined) return NO_CRASH_SITES;
  const { name, occurrence } = chosen;
  if (sites.includes(name)) return new KillingCrashSites(name, occurrence);
  const message = `must be one of ${sites.join(', ')}; it was given ${name}`;
  throw new AppError('misconfigured', `CRASH_SITE ${message}`, {
    retry: 'never',
    fields: [{ field: 'CRASH_SITE', message }],
  });
}
