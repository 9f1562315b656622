import { parentPort } from 'node:worker_threads';
import { answerHashTask } from '../../platform/password-worker/index.js';
import type { HashTask } from '../../platform/passwords/index.js';

/** Runs in a thread of the app and answers one task after the other. */
parentPort?.on('message', (task: HashTask) => {
  parentPort?.postMessage(answerHashTask(task));
});
