export type { HashReply, HashTask } from './hash-task.js';
export { type HashWorker, type HashWorkerEvents, startHashWorker } from './hash-worker.js';
export { PasswordHasher, type PasswordHasherOptions } from './password-hasher.js';
