import { isAppError } from '../../kernel/index.js';

/**
 * Resolves when what a judgement rests on is durable, or has found no room: then it is time to judge again. Rejects when
 * nothing more can be known.
 */
export async function whenSettled(settled: Promise<unknown> | undefined): Promise<void> {
  await settled?.catch((error: unknown) => {
    if (!isAppError(error, 'storage-full')) throw error;
  });
}
