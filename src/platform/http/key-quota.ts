import { AppError, type HeldKeys, type NextTurn } from '../../kernel/index.js';

const SECOND_MS = 1_000;
const COUNTED_PER_TURN = 1_000;

/** The keys of one owner: a count for each second in which some were recorded, and those under way. */
class OwnedKeys {
  reserved = 0;
  private total = 0;
  private readonly counts = new Map<number, number>();
  private readonly seconds: number[] = [];
  /** At a start the seconds of several stores come one store after the other: sorted when they are needed, once. */
  private isAscending = true;

  add(second: number, count: number): void {
    this.total += count;
    const before = this.counts.get(second);
    this.counts.set(second, (before ?? 0) + count);
    if (before !== undefined) return;
    if (second < (this.seconds.at(-1) ?? second)) this.isAscending = false;
    this.seconds.push(second);
  }

  /** How many are held at a time when those of before `second` are over. */
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
 * How many Idempotency-Keys each owner may hold. It judges at the time that a new record would have: what is too old by
 * then does not count, whether or not a store has forgotten it. Exact to a second, to the side of too many. It decides
 * nothing but who is admitted: what is held is for the stores to say, which forget nothing because of it.
 */
export class KeyQuota {
  private readonly owners = new Map<string, OwnedKeys>();

  constructor(
    readonly max: number,
    private readonly keptMs: number,
  ) {}

  /** `count` keys were recorded at `atMs`. */
  add(owner: string, atMs: number, count = 1): void {
    this.of(owner).add(Math.floor(atMs / SECOND_MS), count);
  }

  /** Undefined: there is room for one more. Else in how many milliseconds, at least, there will be. */
  fullFor(owner: string, nowMs: number): number | undefined {
    const owned = this.of(owner);
    const from = Math.floor((nowMs - this.keptMs) / SECOND_MS);
    if (owned.heldFrom(from) < this.max) return undefined;
    const { oldestSecond } = owned;
    if (oldestSecond === undefined) return SECOND_MS;
    return Math.max(1, (oldestSecond + 1) * SECOND_MS + this.keptMs - nowMs);
  }

  /** One more is under way; `release` when it is over, whatever became of it. */
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

/** Before the first request: the keys that a store holds from earlier lives. Takes a turn now and then. */
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

/** What the write of a caller who holds all keys is refused with. `fullForMs`: as `fullFor` gives it. */
export function tooManyKeys({ max }: KeyQuota, fullForMs: number): AppError {
  const detail =
    `this caller has used ${String(max)} Idempotency-Keys or operation ids in the last 24 hours, as many as are kept for ` +
    'one (IDEMPOTENCY_KEYS); nothing was written: send it without one, or after Retry-After';
  return tooMany(detail, fullForMs);
}

/** As `tooManyKeys`, of the undo of an operation that has not come. */
export function tooManyUndos({ max }: KeyQuota, fullForMs: number): AppError {
  const detail =
    `this caller has undone ${String(max)} operations before they came in the last 24 hours, as many as are kept for one ` +
    '(IDEMPOTENCY_KEYS); nothing was undone: send it again after Retry-After';
  return tooMany(detail, fullForMs);
}

function tooMany(detail: string, fullForMs: number): AppError {
  return new AppError('too-many-keys', detail, {
    retry: 'safe',
    retryAfterSeconds: Math.ceil(fullForMs / SECOND_MS),
  });
}
