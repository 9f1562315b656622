import type { Timers } from '../../../kernel/index.js';
import type { TransactionId } from '../ports.js';

export interface UnderWayRun {
  readonly head: { readonly id: TransactionId };
  prepareOverdue(afterMs: number): void;
  answerOverdue(): void;
}

interface Slot<Run> {
  run: Run | undefined;
  ticks: number;
}

/** Checks per length of the shorter deadline; either deadline may fire that much later. */
const TICKS = 10;

/**
 * The transactions under way, and their deadlines. One timer serves all of them, and none runs while there are none.
 *
 * It reuses slots instead of a Map: each outgrown table of a growing and shrinking Map keeps the next table and its content alive
 * until the old space is collected. That made a transaction four times as expensive.
 */
export class UnderWay<Run extends UnderWayRun> implements Iterable<Run> {
  private readonly slots: Slot<Run>[] = [];
  private readonly free: number[] = [];
  private readonly tickMs: number;
  private readonly ticksToPrepare: number;
  private readonly ticksToAnswer: number;
  private count = 0;
  private isTicking = false;

  constructor(
    private readonly timers: Timers,
    private readonly prepareDeadlineMs: number,
    answerDeadlineMs: number,
  ) {
    this.tickMs = Math.min(prepareDeadlineMs, answerDeadlineMs) / TICKS;
    this.ticksToPrepare = Math.ceil(prepareDeadlineMs / this.tickMs);
    this.ticksToAnswer = Math.ceil(answerDeadlineMs / this.tickMs);
  }

  /** Notifies a run when each deadline has passed since now, unless the run is deleted before. Returns the run's slot. */
  add(run: Run): number {
    const slot = this.free.pop() ?? this.slots.push({ run: undefined, ticks: 0 }) - 1;
    const its = this.slots[slot];
    if (its === undefined) throw new Error(`There is no slot ${slot}.`);
    its.run = run;
    // The pending tick comes too early to count.
    its.ticks = this.isTicking ? -1 : 0;
    this.count += 1;
    this.keepTicking();
    return slot;
  }

  delete(slot: number): void {
    const its = this.slots[slot];
    if (its?.run === undefined) return;
    its.run = undefined;
    this.free.push(slot);
    this.count -= 1;
  }

  get size(): number {
    return this.count;
  }

  find(id: TransactionId): Run | undefined {
    return this.slots.find(({ run }) => run?.head.id === id)?.run;
  }

  ids(): ReadonlySet<TransactionId> {
    return new Set([...this].map(({ head }) => head.id));
  }

  *[Symbol.iterator](): Iterator<Run> {
    for (const { run } of this.slots) if (run !== undefined) yield run;
  }

  private keepTicking(): void {
    if (this.isTicking) return;
    this.isTicking = true;
    this.timers.after(this.tickMs, () => {
      this.isTicking = false;
      for (const slot of this.slots) this.age(slot);
      if (this.count > 0) this.keepTicking();
    });
  }

  private age(slot: Slot<Run>): void {
    if (slot.run === undefined) return;
    slot.ticks += 1;
    if (slot.ticks === this.ticksToPrepare) slot.run.prepareOverdue(this.prepareDeadlineMs);
    // The first deadline may have ended the run.
    if (slot.ticks === this.ticksToAnswer) slot.run?.answerOverdue();
  }
}
