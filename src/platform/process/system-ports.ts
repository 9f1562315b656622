import { randomBytes } from 'node:crypto';
import type { Clock, NextTurn, Random } from '../../kernel/index.js';

export const systemClock: Clock = { nowMs: () => Date.now() };

export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

export const nextTurn: NextTurn = (task) => {
  setImmediate(task);
};
