import type { Timers } from '../../../kernel/index.js';

/** `primary` needs only the fsync of this process. */
export type WriteConcern = 'all' | 'majority' | 'primary';

interface Waiting {
  readonly seq: number;
  readonly overdueAtTick: number;
  readonly settle: (isConfirmed: boolean) => void;
}

/** Checks per deadline: a write waits at most a fiftieth longer. */
const TICKS = 50;

/** Holds writes that wait for replicas. They share one timer, because a timer per write costs as much as the rest of its wait. */
export class Confirmations {
  private readonly waiting = { all: new WaitingLine(), majority: new WaitingLine() };
  private confirmed = { all: 0, majority: 0 };
  private tick = 0;
  private isTicking = false;

  constructor(
    private readonly timers: Timers,
    private readonly deadlineMs: number,
  ) {}

  /** True once the write is confirmed, false at the deadline or at the last check before the end of a shorter `withinMs`. */
  wait(seq: number, concern: 'all' | 'majority', withinMs?: number): Promise<boolean> {
    if (this.confirmed[concern] >= seq) return Promise.resolve(true);
    return new Promise((settle) => {
      const overdueAtTick = this.tick + this.ticksFor(withinMs);
      this.waiting[concern].add({ seq, settle, overdueAtTick });
      this.keepTicking();
    });
  }

  confirm(confirmed: { readonly all: number; readonly majority: number }): void {
    this.confirmed = confirmed;
    this.waiting.all.settleThrough(confirmed.all);
    this.waiting.majority.settleThrough(confirmed.majority);
  }

  private ticksFor(withinMs: number | undefined): number {
    if (withinMs === undefined) return TICKS + (this.isTicking ? 1 : 0);
    return Math.max(1, Math.floor((withinMs * TICKS) / this.deadlineMs));
  }

  private keepTicking(): void {
    if (this.isTicking) return;
    this.isTicking = true;
    this.timers.after(this.deadlineMs / TICKS, () => {
      this.isTicking = false;
      this.tick += 1;
      const left = [this.waiting.all, this.waiting.majority].map((line) => line.giveUp(this.tick));
      if (left.some((count) => count > 0)) this.keepTicking();
    });
  }
}

/** Sorted by `seq`. Almost all entries are added at the end. */
class WaitingLine {
  private line: Waiting[] = [];

  add(entry: Waiting): void {
    let at = this.line.length;
    while (at > 0 && (this.line[at - 1]?.seq ?? 0) > entry.seq) at -= 1;
    if (at === this.line.length) this.line.push(entry);
    else this.line.splice(at, 0, entry);
  }

  settleThrough(seq: number): void {
    let count = 0;
    while (count < this.line.length && (this.line[count]?.seq ?? Infinity) <= seq) count += 1;
    for (const entry of this.line.splice(0, count)) entry.settle(true);
  }

  /** Returns how many still wait. */
  giveUp(tick: number): number {
    const overdue = this.line.filter(({ overdueAtTick }) => overdueAtTick <= tick);
    if (overdue.length > 0) this.line = this.line.filter(({ overdueAtTick }) => overdueAtTick > tick);
    for (const entry of overdue) entry.settle(false);
    return this.line.length;
  }
}
