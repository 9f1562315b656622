export { DataDirectoryLock } from './data-directory-lock.js';
export { nextTurn, systemClock, systemRandom } from './system-ports.js';
