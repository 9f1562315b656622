import { type Algorithm, hashSync, verifySync } from '@node-rs/argon2';
import type { HashReply, HashTask } from '../passwords/index.js';

/** argon2id, with the parameters that OWASP recommends first: 19 MiB, two passes, one lane. */
const ARGON2ID: Algorithm = 2;
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };

/**
 * Hashes or compares in this thread. Synchronous on purpose: the asynchronous calls use the thread pool of the whole process, also
 * in a worker. An error is not passed on, because it might quote what was hashed.
 */
export function answerHashTask({ password, hash }: HashTask): HashReply {
  try {
    return hash === undefined ? { hash: hashSync(password, PARAMETERS) } : { matches: verifySync(hash, password) };
  } catch {
    return { failed: true };
  }
}
