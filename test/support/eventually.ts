import { setTimeout as delay } from 'node:timers/promises';

/** Generous: how slow a machine is shall never decide a test. */
const WITHIN_MS = 30_000;

/** What `probe` gives the first time it does not throw; its last error when that takes longer than `withinMs`. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { withinMs = WITHIN_MS, everyMs = 10 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await delay(everyMs);
  }
}
