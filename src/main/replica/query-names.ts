import type { QueryNames } from '../../platform/http/index.js';
import { REPLICATION_PATHS } from '../../protocols/replication/index.js';

export const QUERY_NAMES: QueryNames = {
  '/customers': ['limit', 'after', 'min_seq'],
  '/customers/:id': ['min_seq'],
  [REPLICATION_PATHS.records]: ['after', 'limit-bytes'],
  [REPLICATION_PATHS.stateHash]: ['seq'],
};
