import type { StoreRegistration } from '../../modules/store-registration/index.js';
import { STORES } from '../../modules/stores/index.js';
import { SNAPSHOT_CRASH_SITES } from '../../platform/documents/index.js';
import { JOURNAL_CRASH_SITES } from '../../platform/journal/index.js';
import { SECRET_CRASH_SITES } from '../../platform/secrets/index.js';
import { SQL_CRASH_SITES } from '../../platform/sql/index.js';
import { SAGA_CRASH_SITES } from '../../protocols/saga/index.js';
import { TWO_PHASE_CRASH_SITES } from '../../protocols/two-phase-commit/index.js';

export const crashSitesWith = (stores: readonly StoreRegistration[]): readonly string[] => [
  ...SECRET_CRASH_SITES,
  ...SQL_CRASH_SITES,
  ...JOURNAL_CRASH_SITES,
  ...SNAPSHOT_CRASH_SITES,
  ...TWO_PHASE_CRASH_SITES,
  ...SAGA_CRASH_SITES,
  ...stores.flatMap(({ crashSites }) => crashSites),
];
export const CRASH_SITES = crashSitesWith(STORES);
