export { commandLine, refusalText } from './command-line.js';
export { DataDirectoryLock, type LockCandidate } from './data-directory-lock.js';
export { packageVersion } from './package-version.js';
export { microtask, monotonicMs, nextTurn, systemClock, systemRandom, systemTimers } from './system-ports.js';
export { risingUuids, uuids } from './uuids.js';
