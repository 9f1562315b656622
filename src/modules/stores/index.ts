import { BOOKS_STORE } from '../books/index.js';
import { CUSTOMERS, CUSTOMERS_STORE } from '../customers/index.js';
import type { StoreRegistration } from '../store-registration/index.js';
import { DOCUMENT_USERS_STORE, SQL_USERS_STORE, USERS } from '../users/index.js';

/** All stores of the app. Collections keep their order: it is their order in a snapshot. */
export const STORES: readonly StoreRegistration[] = [
  BOOKS_STORE,
  CUSTOMERS_STORE,
  SQL_USERS_STORE,
  DOCUMENT_USERS_STORE,
];

/** The collections of STORES, for replicas and commands: a list of its own, so that their bundles leave the app out. */
export const COLLECTIONS = [CUSTOMERS, USERS] as const;
