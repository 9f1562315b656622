import type { NextTurn } from '../../kernel/index.js';

/** Takes all steps of a long task and yields to the event loop between them. */
export async function inTurns(steps: Iterable<void>, nextTurn: NextTurn): Promise<void> {
  for (const _ of steps) {
    await new Promise<void>((resolve) => {
      nextTurn(resolve);
    });
  }
}
