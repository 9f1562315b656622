import type { Clock } from '../../src/kernel/index.js';

/** Stands still until told; may be set back. */
export class SimulatedClock implements Clock {
  constructor(private timeMs = Date.UTC(2026, 10, 21)) {}

  nowMs(): number {
    return this.timeMs;
  }

  /** A negative step sets it back. */
  advance(stepMs: number): void {
    this.timeMs += stepMs;
  }
}
