import type { Timers } from '../../src/kernel/index.js';

interface Planned {
  readonly atMs: number;
  readonly task: () => void;
}

/** Time passes only when it is told to. */
export class SimulatedTimers implements Timers {
  private nowMs = 0;
  private readonly planned = new Set<Planned>();

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.nowMs + delayMs, task };
    this.planned.add(entry);
    return () => {
      this.planned.delete(entry);
    };
  }

  get pending(): number {
    return this.planned.size;
  }

  /** Runs, in order of their time, what becomes due, also what is planned by that. */
  pass(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      const next = [...this.planned].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.planned.delete(next);
      this.nowMs = next.atMs;
      next.task();
    }
    this.nowMs = endMs;
  }
}
