/** Simulated time: events happen in the order of their times; events of one time in the order of their creation. */
export class EventQueue {
  /** Milliseconds since the world began. */
  nowMs = 0;
  private readonly heap: { readonly atMs: number; readonly order: number; readonly event: () => void }[] = [];
  private made = 0;

  after(delayMs: number, event: () => void): void {
    const { heap } = this;
    const entry = { atMs: this.nowMs + delayMs, order: (this.made += 1), event };
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Runs all events that are due by then. */
  runUntil(endMs: number): void {
    while (this.runNext(endMs));
    this.nowMs = endMs;
  }

  /** Runs the next event. False when none is due by then. */
  runNext(endMs: number): boolean {
    const first = this.heap[0];
    if (!first || first.atMs > endMs) return false;
    const last = this.heap.pop()!;
    if (last !== first) this.sink(last);
    this.nowMs = first.atMs;
    first.event();
    return true;
  }

  private sink(entry: (typeof this.heap)[number]): void {
    const { heap } = this;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

interface Timed {
  readonly atMs: number;
  readonly order: number;
}

function isBefore(one: Timed, other: Timed): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
