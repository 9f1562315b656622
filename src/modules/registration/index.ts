export { REGISTRATION } from './registration-file.js';
export { PASSWORD_MIN } from './registration.module.js';
export { REGISTRATION_STORE } from './registration.store.js';
