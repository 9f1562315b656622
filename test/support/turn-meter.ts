/**
 * Measures how much CPU time of this thread the turns of the event loop take. CPU time, because a busy machine makes every turn long by
 * the clock.
 */
export class TurnMeter {
  /** Milliseconds of the longest turn so far. */
  longestMs = 0;
  private isOn = true;
  private lastUs = TurnMeter.cpuUs();

  private constructor() {
    const turn = (): void => {
      const now = TurnMeter.cpuUs();
      this.longestMs = Math.max(this.longestMs, (now - this.lastUs) / 1_000);
      this.lastUs = now;
      if (this.isOn) setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** Runs `work` and resolves with the milliseconds of its longest turn. */
  static async longestTurnOf(work: () => unknown): Promise<number> {
    // Turns before belong to what came before.
    await new Promise(setImmediate);
    const meter = new TurnMeter();
    await new Promise(setImmediate);
    await work();
    await new Promise(setImmediate);
    meter.isOn = false;
    await new Promise(setImmediate);
    return meter.longestMs;
  }

  private static cpuUs(): number {
    // Node 22.14 cannot tell the CPU time of one thread; that of the process is never less.
    const { user, system } = (process.threadCpuUsage ?? process.cpuUsage).call(process);
    return user + system;
  }
}
