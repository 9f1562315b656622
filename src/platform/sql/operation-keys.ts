import type { Statement } from 'better-sqlite3';
import {
  ADDED_KEY_RETENTION_MS,
  ADDED_KEYS,
  CLIENT_KEY_RETENTION_MS,
  type Clock,
  type HeldKeys,
  type HeldKeyCounts,
  keyRetentionMs,
} from '../../kernel/index.js';
import type { SqlHandle } from './sql-handle.js';

const SECOND_MS = 1_000;
/** Some milliseconds of work. */
const ROWS_AT_ONCE = 5_000;
/** A key that is being recorded now expires later than this before the end of its time. No commit takes as long. */
const MARGIN_MS = 30_000;

/** The owner, in the table, of a key that counts against nobody's quota: every key has one, which the index by expiry relies on. */
export const UNOWNED = '';

interface Row {
  readonly owner: string;
  readonly second: number;
  readonly count: number;
}

interface KeysOfPiece {
  readonly keys: Iterable<HeldKeys>;
  /** They and those of earlier pieces are all that expire before. */
  readonly toMs: number;
}

/** Counts the keys in the table `operations` by owner and second, by the index alone. */
export class OperationKeys {
  private readonly end: Statement<[number], number>;
  private readonly ofCallers: Statement<[number, number], Row>;
  private readonly added: Statement<[number, number], Row>;

  /** Only for reading. */
  constructor(handle: SqlHandle) {
    this.end = handle
      .prepare<[number], number>(
        `SELECT expires_at_ms FROM operations WHERE owner IS NOT NULL AND expires_at_ms >= ?
         ORDER BY expires_at_ms LIMIT 1 OFFSET ${String(ROWS_AT_ONCE)}`,
      )
      .pluck();
    const counting = (condition: string): Statement<[number, number], Row> =>
      handle.prepare(
        `SELECT owner, expires_at_ms / ${String(SECOND_MS)} AS second, count(*) AS count FROM operations
         WHERE expires_at_ms >= ? AND expires_at_ms < ? AND ${condition} GROUP BY owner, second`,
      );
    this.ofCallers = counting(`owner > '${UNOWNED}' AND owner != '${ADDED_KEYS}'`);
    this.added = counting(`owner = '${ADDED_KEYS}'`);
  }

  /** The keys that expire from `fromMs` on and before `toMs`. The consumer may pause between any two. */
  *expiring(fromMs: number, toMs: number): Generator<HeldKeys, void, undefined> {
    for (const { keys } of this.expiringInPieces(fromMs, toMs)) yield* keys;
  }

  /** Same as `expiring`, in pieces of some milliseconds of work. */
  *expiringInPieces(fromMs: number, toMs: number): Generator<KeysOfPiece, void, undefined> {
    for (const [from, to] of this.pieces(fromMs, toMs)) yield { keys: heldBy(this.ofCallers.all(from, to)), toMs: to };
  }

  /** Those that processes have added and that expire after `nowMs`. */
  *addedBefore(nowMs: number): Generator<HeldKeys, void, undefined> {
    const toMs = nowMs + ADDED_KEY_RETENTION_MS + MARGIN_MS;
    for (const [from, to] of this.pieces(nowMs + 1, toMs)) yield* heldBy(this.added.all(from, to));
  }

  private *pieces(fromMs: number, toMs: number): Generator<readonly [number, number], void, undefined> {
    for (let from = fromMs; from < toMs;) {
      // More rows than fit may expire at one millisecond.
      const to = Math.min(toMs, Math.max(from + 1, this.end.get(from) ?? toMs));
      yield [from, to];
      from = to;
    }
  }
}

function* heldBy(rows: readonly Row[]): Generator<HeldKeys, void, undefined> {
  for (const { owner, second, count } of rows) yield { owner, atMs: second * SECOND_MS - keyRetentionMs(owner), count };
}

/** Counts the keys of a file that another process owns into `counts`, and again those that have come since. */
export class OperationKeysAhead {
  private readonly keys: OperationKeys;
  private countedAtMs = -Infinity;
  private countedToMs = 0;

  /** `handle` is only read, and no transaction stays open on it. Throws when there is no such table. */
  constructor(
    handle: SqlHandle,
    private readonly clock: Clock,
    private readonly counts: HeldKeyCounts,
  ) {
    this.keys = new OperationKeys(handle);
  }

  /** All keys are counted that expire earlier, but for those that processes have added. */
  get belowMs(): number {
    return this.countedToMs;
  }

  /** Whether the clock went back since: then later keys may expire before counted ones. */
  get isOutdated(): boolean {
    return this.clock.nowMs() < this.countedAtMs;
  }

  /**
   * Counts in short steps, and forgets counts of keys that have expired. After each step `belowMs` is true of the counts. Throws when it
   * is outdated.
   */
  *count(): Generator<void, void, undefined> {
    if (this.isOutdated) throw new Error('the clock went back');
    const nowMs = this.clock.nowMs();
    this.countedAtMs = nowMs;
    const toMs = nowMs + CLIENT_KEY_RETENTION_MS - MARGIN_MS;
    for (const piece of this.keys.expiringInPieces(Math.max(nowMs, this.countedToMs), toMs)) {
      for (const { owner, atMs, count } of piece.keys) this.counts.add(owner, atMs, count);
      this.countedToMs = piece.toMs;
      yield;
    }
    yield* this.counts.forgetBefore(nowMs - CLIENT_KEY_RETENTION_MS);
  }
}
