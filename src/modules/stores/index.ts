import { BOOKSTORE } from '../../platform/sql/index.js';
import { BOOKS_STORE } from '../books/index.js';
import { CUSTOMERS, CUSTOMERS_STORE } from '../customers/index.js';
import { ORDERS, ORDERS_STORE } from '../orders/index.js';
import { PAYMENT, PAYMENT_STORE } from '../payment/index.js';
import { REGISTRATION, REGISTRATION_STORE } from '../registration/index.js';
import { STOCK_STORE } from '../stock/index.js';
import type { StoreRegistration } from '../store-registration/index.js';
import { DOCUMENT_USERS_STORE, SQL_USERS_STORE, USERS } from '../users/index.js';

/** Collections keep their order, which is their order in a snapshot. */
export const STORES: readonly StoreRegistration[] = [
  STOCK_STORE,
  BOOKS_STORE,
  CUSTOMERS_STORE,
  SQL_USERS_STORE,
  DOCUMENT_USERS_STORE,
  PAYMENT_STORE,
  ORDERS_STORE,
  REGISTRATION_STORE,
];

/** The collections and SQL files of STORES, in lists of their own that keep the app out of the bundles of replicas and commands. */
export const COLLECTIONS = [CUSTOMERS, USERS] as const;
export const SQL_FILES = [BOOKSTORE, PAYMENT, ORDERS, REGISTRATION] as const;
