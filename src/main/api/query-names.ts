import type { QueryNames } from '../../platform/http/index.js';

const PAGE = ['limit', 'after'];

/** What the API's documentation says of each route; a test holds the two together. */
export const QUERY_NAMES: QueryNames = {
  '/books': PAGE,
  '/customers': [...PAGE, 'min_seq'],
  '/customers/:id': ['min_seq'],
  '/nosql/users/:id': ['min_seq'],
  '/transactions': [...PAGE, 'state'],
};
