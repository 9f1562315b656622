export { USERS } from './user-collection.js';
export { DOCUMENT_USERS_STORE, SQL_USERS_STORE } from './users.stores.js';
