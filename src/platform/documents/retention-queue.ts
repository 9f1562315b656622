export interface Retention {
  readonly ms: number;
  readonly count: number;
  /** How many to remove at once; absent: all. */
  readonly atOnce?: number;
}

const MIN_COMPACTION = 1_024;

/** First in, first out, in constant time: a Map would have to skip over its deleted entries. */
export class RetentionQueue<T extends { readonly at: number }> {
  private entries: T[] = [];
  private first = 0;

  add(entry: T): void {
    this.entries.push(entry);
  }

  /** Removes, oldest first, entries that are too old at `now` or too many. */
  expire(now: number, keep: Retention, forget: (entry: T) => void): void {
    for (;;) {
      const oldest = this.entries[this.first];
      if (oldest === undefined || !this.isExpired(oldest, now, keep)) break;
      forget(oldest);
      this.first += 1;
    }
    if (this.first > MIN_COMPACTION && this.first > this.entries.length / 2) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }

  all(): T[] {
    return this.entries.slice(this.first);
  }

  private isExpired(oldest: T, now: number, keep: Retention): boolean {
    return this.entries.length - this.first > keep.count || oldest.at + keep.ms <= now;
  }
}
