import type { Statement } from 'better-sqlite3';
import type { HeldKeyCounts, HeldKeys } from '../../../kernel/index.js';
import type { SqlHandle } from '../../../platform/sql/index.js';

const KEYS_AT_ONCE = 5_000;
const SECOND_MS = 1_000;

interface Row {
  readonly owner: string;
  readonly second: number;
  readonly count: number;
}

/** Counts the Idempotency-Keys in the table `sagas` by owner and second. */
export class CheckoutKeys {
  private readonly count: Statement<[number, number], Row>;
  private readonly firstNumber: Statement<[], number | null>;
  private readonly lastNumber: Statement<[], number | null>;
  private readonly firstRunning: Statement<[], number | null>;

  /** Only for reading. Throws when there is no such table. */
  constructor(handle: SqlHandle) {
    this.firstNumber = handle.prepare<[], number | null>('SELECT min(number) FROM sagas').pluck();
    this.lastNumber = handle.prepare<[], number | null>('SELECT max(number) FROM sagas').pluck();
    // Without the sign, SQLite would look at all rows in the order of their numbers.
    this.firstRunning = handle
      .prepare<[], number | null>("SELECT min(+number) FROM sagas WHERE state = 'running'")
      .pluck();
    this.count = handle.prepare(
      `SELECT owner, coalesce(ended_at_ms, started_at_ms) / ${String(SECOND_MS)} AS second, count(*) AS count
       FROM sagas WHERE number >= ? AND number < ? AND owner IS NOT NULL GROUP BY owner, second`,
    );
  }

  /** Those of the numbers from `from` on and below `to`. The consumer may pause between any two. */
  *between(from: number, to: number): Generator<HeldKeys, void, undefined> {
    for (const [start, end] of this.pieces(KEYS_AT_ONCE, from, to)) {
      for (const { owner, second, count } of this.count.all(start, end))
        yield { owner, atMs: second * SECOND_MS, count };
    }
  }

  /** Ranges of numbers that hold all rows, each from its first number to below its second. */
  *pieces(size: number, from = 0, to = Infinity): Generator<readonly [number, number], void, undefined> {
    const end = Math.min(to, (this.lastNumber.get() ?? 0) + 1);
    for (let start = Math.max(from, this.firstNumber.get() ?? end); start < end; start += size) {
      yield [start, Math.min(end, start + size)];
    }
  }

  /** All checkouts below this number have ended, and will not change. */
  get endedBelow(): number {
    // A checkout that begins between the two has a higher number.
    const last = this.lastNumber.get() ?? 0;
    return Math.min(last + 1, this.firstRunning.get() ?? Infinity);
  }
}

/** Counts the keys in a file that another process owns into `counts`, and again those of checkouts that have ended since. */
export class CheckoutKeysAhead {
  private readonly keys: CheckoutKeys;
  private next = 0;

  /** `handle` is only read, and no transaction stays open on it. */
  constructor(
    handle: SqlHandle,
    private readonly counts: HeldKeyCounts,
  ) {
    this.keys = new CheckoutKeys(handle);
  }

  /** The keys of all checkouts with a lower number are counted. */
  get below(): number {
    return this.next;
  }

  /** Counts in short steps. */
  *count(): Generator<void, void, undefined> {
    const end = this.keys.endedBelow;
    for (const [from, to] of this.keys.pieces(KEYS_AT_ONCE, this.next, end)) {
      for (const { owner, atMs, count } of this.keys.between(from, to)) this.counts.add(owner, atMs, count);
      this.next = to;
      yield;
    }
  }
}
