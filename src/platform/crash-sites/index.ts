export { crashSitesAmong, KillingCrashSites, NO_CRASH_SITES } from './crash-sites.js';
