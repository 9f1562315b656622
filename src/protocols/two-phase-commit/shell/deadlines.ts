import type { Timers } from '../../../kernel/index.js';

/** The deadline is looked at so often within its length: it may come a tenth later. */
const TICKS = 10;

/** Deadlines of one length. One timer serves all of them, and none runs while nobody waits. */
export class Deadlines<Waiting> {
  /** In the order in which they become due. */
  private readonly overdueAtTick = new Map<Waiting, number>();
  private tick = 0;
  private isTicking = false;

  constructor(
    private readonly timers: Timers,
    private readonly lengthMs: number,
    private readonly isOver: (waiting: Waiting) => void,
  ) {}

  /** Calls `isOver` with it once the length has passed, unless it is taken out before. */
  add(waiting: Waiting): void {
    this.overdueAtTick.set(waiting, this.tick + TICKS + (this.isTicking ? 1 : 0));
    this.keepTicking();
  }

  delete(waiting: Waiting): void {
    this.overdueAtTick.delete(waiting);
  }

  private keepTicking(): void {
    if (this.isTicking) return;
    this.isTicking = true;
    this.timers.after(this.lengthMs / TICKS, () => {
      this.isTicking = false;
      this.tick += 1;
      for (const [waiting, overdueAtTick] of this.overdueAtTick) {
        if (overdueAtTick > this.tick) break;
        this.overdueAtTick.delete(waiting);
        this.isOver(waiting);
      }
      if (this.overdueAtTick.size > 0) this.keepTicking();
    });
  }
}
