import { Worker } from 'node:worker_threads';
import type { HashReply, HashTask } from './hash-task.js';

/** A thread that does one task at a time. */
export interface HashWorker {
  post(task: HashTask): void;
  /** Resolves when the thread is gone. A hash that runs is finished first, which takes tens of milliseconds. */
  end(): Promise<unknown>;
}

export interface HashWorkerEvents {
  readonly replied: (reply: HashReply) => void;
  /** Called once, when the thread is gone. It replies no more. */
  readonly died: (reason: string) => void;
}

/** Starts `program` in a thread, which does not keep the process alive. */
export function startHashWorker(program: string, { replied, died }: HashWorkerEvents): HashWorker {
  const worker = new Worker(program);
  let reason = '';
  worker.unref();
  worker
    .on('message', replied)
    .on('error', (error) => {
      reason = `: ${String(error)}`;
    })
    .on('exit', (code) => {
      died(`exit code ${String(code)}${reason}`);
    });
  return {
    post: (task) => {
      worker.postMessage(task);
    },
    end: () => worker.terminate(),
  };
}
