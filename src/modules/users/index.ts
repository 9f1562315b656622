export { USERS } from './user-collection.js';
