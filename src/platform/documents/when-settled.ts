import { isAppError } from '../../kernel/index.js';

/** Resolves when the judgement's basis is durable or found no room: judge again. Rejects when the outcome is unknown. */
export async function whenSettled(settled: Promise<unknown> | undefined): Promise<void> {
  await settled?.catch((error: unknown) => {
    if (!isAppError(error, 'storage-full')) throw error;
  });
}
