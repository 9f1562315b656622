import type { RunningServer } from '../../platform/nodes/index.js';
import { lockDirectory, type Start } from './lock.js';
import { openStores } from './open.js';
import { serve } from './serve.js';

/**
 * The whole start: takes the lock, opens the stores, serves. Rejects with one AppError when a step fails.
 * `opened` resolves when data is served, which waits for replicas where there are some; until then the app refuses all
 * requests but those about the process itself. It rejects with `recovery-needed` when a start would lose what replicas hold.
 */
export async function startApp(start: Start): Promise<RunningServer> {
  return serve(await openStores(await lockDirectory(start)));
}
