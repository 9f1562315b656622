import { AppError, type HeldKeyCounts, type HeldKeys, type NextTurn } from '../../kernel/index.js';

const SECOND_MS = 1_000;
const COUNTED_PER_TURN = 1_000;
const ADDED_PER_TURN = 10_000;
/** An owner takes as long as so many seconds. */
const OWNER_COSTS = 10;

/** The keys of one owner: a count for each second in which some were recorded, and those under way. */
class OwnedKeys {
  reserved = 0;
  private total = 0;
  private readonly seconds: number[];
  /** At startup, seconds arrive store by store; they are sorted once, when they are needed. */
  private isAscending = false;

  /** By second. Taken over, not copied: a copy of a day takes as long as the rest of a start. */
  constructor(private readonly counts = new Map<number, number>()) {
    this.seconds = [...counts.keys()];
    for (const count of counts.values()) this.total += count;
  }

  add(second: number, count: number): void {
    this.total += count;
    const before = this.counts.get(second);
    this.counts.set(second, (before ?? 0) + count);
    if (before !== undefined) return;
    if (second < (this.seconds.at(-1) ?? second)) this.isAscending = false;
    this.seconds.push(second);
  }

  /** How many keys are held at a time when those recorded before `second` have expired. */
  heldFrom(second: number): number {
    this.arrange();
    const over = this.seconds.findIndex((each) => each >= second);
    for (const each of this.seconds.splice(0, over < 0 ? this.seconds.length : over)) {
      this.total -= this.counts.get(each) ?? 0;
      this.counts.delete(each);
    }
    return this.total + this.reserved;
  }

  get oldestSecond(): number | undefined {
    this.arrange();
    return this.seconds[0];
  }

  private arrange(): void {
    if (!this.isAscending) this.seconds.sort((left, right) => left - right);
    this.isAscending = true;
  }
}

/**
 * How many Idempotency-Keys each owner may hold. It judges by the time that a new record would have: older keys that have expired
 * by that time do not count, whether or not a store has forgotten them. Exact to a second, erring towards too many. It only
 * decides admission: stores hold the keys, and forget nothing because of it.
 */
export class KeyQuota {
  private readonly owners = new Map<string, OwnedKeys>();

  constructor(
    readonly max: number,
    private readonly keptMs: number,
  ) {}

  add(owner: string, atMs: number, count = 1): void {
    this.of(owner).add(Math.floor(atMs / SECOND_MS), count);
  }

  /** Adds the counts of one owner by second. The map belongs to the quota from now on. */
  addAll(owner: string, counts: Map<number, number>): void {
    const owned = this.owners.get(owner);
    if (owned === undefined) this.owners.set(owner, new OwnedKeys(counts));
    else for (const [second, count] of counts) owned.add(second, count);
  }

  /** Undefined when there is room for one more; otherwise the minimum time in milliseconds until there is. */
  fullFor(owner: string, nowMs: number): number | undefined {
    const owned = this.of(owner);
    const from = Math.floor((nowMs - this.keptMs) / SECOND_MS);
    if (owned.heldFrom(from) < this.max) return undefined;
    const { oldestSecond } = owned;
    if (oldestSecond === undefined) return SECOND_MS;
    return Math.max(1, (oldestSecond + 1) * SECOND_MS + this.keptMs - nowMs);
  }

  /** Counts one more key under way; call `release` when it is over, whatever the result. */
  reserve(owner: string): void {
    this.of(owner).reserved += 1;
  }

  release(owner: string): void {
    this.of(owner).reserved -= 1;
  }

  private of(owner: string): OwnedKeys {
    const known = this.owners.get(owner);
    if (known) return known;
    const made = new OwnedKeys();
    this.owners.set(owner, made);
    return made;
  }
}

/** Counts, before the first request, the keys that a store holds from earlier incarnations. Yields now and then. */
export async function countHeldKeys(
  held: Iterable<HeldKeys>,
  quotaOf: (owner: string) => KeyQuota,
  nextTurn: NextTurn,
): Promise<void> {
  let counted = 0;
  for (const { owner, atMs, count } of held) {
    quotaOf(owner).add(owner, atMs, count);
    counted += 1;
    if (counted % COUNTED_PER_TURN === 0) await new Promise<void>((resolve) => nextTurn(resolve));
  }
}

/** Same as `countHeldKeys`, for keys that are counted already. The counts belong to the quotas from now on. */
export async function addHeldKeys(
  held: HeldKeyCounts,
  quotaOf: (owner: string) => KeyQuota,
  nextTurn: NextTurn,
): Promise<void> {
  let added = 0;
  for (const [owner, counts] of held.handOver()) {
    quotaOf(owner).addAll(owner, counts);
    added += OWNER_COSTS + counts.size;
    if (added < ADDED_PER_TURN) continue;
    added = 0;
    await new Promise<void>((resolve) => nextTurn(resolve));
  }
}

/** The refusal of a write whose caller already holds the maximum of keys. `fullForMs` comes from `fullFor`. */
export function tooManyKeys({ max }: KeyQuota, fullForMs: number): AppError {
  const detail =
    `this caller has used the maximum of ${String(max)} Idempotency-Keys and operation ids in 24 hours (IDEMPOTENCY_KEYS); ` +
    'nothing was written: send the request without a key, or after Retry-After';
  return tooMany(detail, fullForMs);
}

/** Like `tooManyKeys`, for the undo of an operation that has not arrived. */
export function tooManyUndos({ max }: KeyQuota, fullForMs: number): AppError {
  const detail =
    `this caller has undone the maximum of ${String(max)} operations before their arrival in 24 hours (IDEMPOTENCY_KEYS); ` +
    'nothing was undone: send the request again after Retry-After';
  return tooMany(detail, fullForMs);
}

function tooMany(detail: string, fullForMs: number): AppError {
  return new AppError('too-many-keys', detail, {
    retry: 'safe',
    retryAfterSeconds: Math.ceil(fullForMs / SECOND_MS),
  });
}
