import type { RunningServer } from '../../platform/nodes/index.js';
import { lockDirectory, type Start } from './lock.js';
import { openStores } from './open.js';
import { serve } from './serve.js';

/**
 * Takes the lock, opens the stores and serves. Rejects with one AppError when a step fails. `opened` resolves when data is
 * served, which waits for any replicas; until then the app refuses all requests except those about the process itself. `opened`
 * rejects with `recovery-needed` when a start would lose what replicas hold.
 */
export async function startApp(start: Start): Promise<RunningServer> {
  return serve(await openStores(await lockDirectory(start)));
}
