/** Simulated time: events happen in the order of their times, those of one time in the order of their making. */
export class EventQueue {
  /** Milliseconds since the world began. */
  nowMs = 0;
  private readonly heap: { readonly atMs: number; readonly order: number; readonly event: () => void }[] = [];
  private made = 0;

  after(delayMs: number, event: () => void): void {
    const { heap } = this;
    const entry = { atMs: this.nowMs + delayMs, order: (this.made += 1), event };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  /** Lets everything happen that is due by then. */
  runUntil(endMs: number): void {
    while (this.runNext(endMs));
    this.nowMs = endMs;
  }

  /** Lets the next event happen. False when none is due by then. */
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
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, entry)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = entry;
  }
}

interface Timed {
  readonly atMs: number;
  readonly order: number;
}

function isBefore(one: Timed, other: Timed): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
