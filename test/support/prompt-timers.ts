import type { Timers } from '../../src/kernel/index.js';

/** What is planned for later is done in one of the next turns: whatever may happen meanwhile does so in all orders. */
export const PROMPT_TIMERS: Timers = {
  after: (_, task) => {
    const planned = setImmediate(task);
    return () => {
      clearImmediate(planned);
    };
  },
};
