import { monotonicMs } from '../../platform/process/index.js';

/**
 * How long the phases of one start took, in whole milliseconds, for the person who reads the log. Phases that run at the same time
 * count in full each.
 */
export class Phases {
  private readonly beganAtMs = monotonicMs();
  private readonly cpuAtStart = process.cpuUsage();
  private readonly tookMs = new Map<string, number>();

  /** Does `work` as the phase of that name. Passes on what it resolves or rejects with. */
  async during<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const beganAtMs = monotonicMs();
    try {
      return await work();
    } finally {
      this.tookMs.set(phase, (this.tookMs.get(phase) ?? 0) + monotonicMs() - beganAtMs);
    }
  }

  /** As one line for the log, `120 ms: lock 5 ms, documents 40 ms, ...`, in the order in which the phases ended. */
  toString(): string {
    const took = [...this.tookMs].map(([name, ms]) => `${name} ${inMs(ms)}`);
    return `${inMs(monotonicMs() - this.beganAtMs)}: ${took.join(', ')}`;
  }

  /** The processor time of this process since the start began: high where it works, low where it waits. */
  get cpuMs(): number {
    const { user, system } = process.cpuUsage(this.cpuAtStart);
    return Math.round((user + system) / 1_000);
  }
}

function inMs(ms: number): string {
  return `${String(Math.round(ms))} ms`;
}
