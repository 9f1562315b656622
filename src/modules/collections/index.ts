import { CUSTOMERS } from '../customers/index.js';
import { USERS } from '../users/index.js';

/** All document collections, in the order in which they stand in a snapshot. Whoever holds documents declares these. */
export const COLLECTIONS = [CUSTOMERS, USERS] as const;
