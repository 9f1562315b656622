import type { NextTurn } from '../../kernel/index.js';

/** Takes all steps of some long work, and gives others a turn of the event loop between any two. */
export async function inTurns(steps: Iterable<void>, nextTurn: NextTurn): Promise<void> {
  for (const _ of steps) {
    await new Promise<void>((resolve) => {
      nextTurn(resolve);
    });
  }
}
