import type { Log, Timers } from '../../../kernel/index.js';

export interface PeriodicWorkPorts {
  readonly timers: Timers;
  readonly log: Log;
}

/** Does some work again and again, each time so long after the last time has ended. A failure is logged and changes nothing. */
export class PeriodicWork {
  private cancel: (() => void) | undefined;
  private underWay: Promise<void> = Promise.resolve();
  private isStopped = false;

  /** `what`: the subject of the log line about a failure. */
  constructor(
    private readonly ports: PeriodicWorkPorts,
    private readonly what: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<void>,
  ) {}

  /** The first time is one period from now. */
  start(): void {
    if (this.isStopped) return;
    this.cancel = this.ports.timers.after(this.everyMs, () => {
      this.underWay = this.once().finally(() => {
        this.start();
      });
    });
  }

  /** Resolves when the work that is under way has ended; it is not done again. */
  stop(): Promise<void> {
    this.isStopped = true;
    this.cancel?.();
    return this.underWay;
  }

  private async once(): Promise<void> {
    try {
      await this.work();
    } catch (error) {
      const seconds = String(this.everyMs / 1_000);
      this.ports.log.warn(`${this.what} failed and is tried again in ${seconds} s`, { error });
    }
  }
}
