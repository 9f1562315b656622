export interface Retention {
  readonly ms: number;
  readonly count: number;
}

const LEAST_COMPACTION = 1_024;

/** First in, first out, in constant time: a Map would have to step over the holes of what it has deleted. */
export class RetentionQueue<T extends { readonly at: number }> {
  private entries: T[] = [];
  private first = 0;

  constructor(private readonly keep: Retention) {}

  add(entry: T): void {
    this.entries.push(entry);
  }

  /** Takes out, oldest first, what is too old at `now` or too many. */
  expire(now: number, forget: (entry: T) => void): void {
    for (;;) {
      const oldest = this.entries[this.first];
      if (oldest === undefined || !this.isExpired(oldest, now)) break;
      forget(oldest);
      this.first += 1;
    }
    if (this.first > LEAST_COMPACTION && this.first > this.entries.length / 2) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }

  all(): T[] {
    return this.entries.slice(this.first);
  }

  private isExpired(oldest: T, now: number): boolean {
    return this.entries.length - this.first > this.keep.count || oldest.at + this.keep.ms <= now;
  }
}
